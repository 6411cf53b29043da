"""Runs by the clock, outside the VPC: two users of its own write to each other over every door that clients have."""
