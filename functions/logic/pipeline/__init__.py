"""Takes batches of commands from either door through one transaction to what is announced."""
