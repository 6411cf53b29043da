"""Conversations as one of their members sees them."""
