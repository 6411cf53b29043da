"""Runs every minute outside the VPC: calls whoever is registered, and writes down who does not answer."""
