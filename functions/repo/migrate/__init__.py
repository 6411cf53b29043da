"""Brings the database's schema up to date, at each deployment."""
