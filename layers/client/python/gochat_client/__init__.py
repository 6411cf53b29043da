"""A client of a stage: its REST API, its WebSockets, and a conversation over both that finds out whether it works."""
