"""Runs every minute: tells who went offline, and removes what is no longer needed."""
