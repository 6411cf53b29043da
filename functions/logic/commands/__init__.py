"""What a command is, what may become of one, and the state that a batch of them is decided over."""
