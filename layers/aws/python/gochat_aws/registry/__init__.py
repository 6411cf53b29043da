"""The registry of who serves what, over AWS Cloud Map: register, lease, discover, choose, watch, drain."""
