"""Telling connected devices, and the offline path, what was stored."""
