"""Runs every minute where it is on: looks whether what is stored adds up, and says what does not."""
