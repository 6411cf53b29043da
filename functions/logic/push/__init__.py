"""Push: how devices are reached while their users are away, and what the users prefer."""
