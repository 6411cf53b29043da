"""Catching up after a device was away."""
