"""Runs every minute outside the VPC: finds connections that ended unheard, and empties a draining cell."""
