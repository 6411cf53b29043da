"""Profiles: one's own, somebody's, and finding people."""
