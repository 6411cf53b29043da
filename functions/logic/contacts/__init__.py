"""Contacts: who asked whom to be a friend, who are friends, who has blocked whom."""
