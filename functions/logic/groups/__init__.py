"""Groups: who belongs to one, who may do what in it."""
