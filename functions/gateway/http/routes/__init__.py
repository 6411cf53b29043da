"""The REST routes, a file for each family of paths."""
