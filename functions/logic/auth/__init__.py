"""Accounts and logins: register, log in, refresh, log out."""
