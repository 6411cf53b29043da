"""Messages: storing, numbering and reading them."""
