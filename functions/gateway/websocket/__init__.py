"""Answers everything that clients say on their WebSockets."""
