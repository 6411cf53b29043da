"""Posts what the downstream topic brings to the connections of this cell."""
