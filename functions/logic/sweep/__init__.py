"""Runs every minute: announces what is stored and was left unannounced."""
