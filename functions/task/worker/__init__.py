"""Handles work that no client waits for."""
