"""How far members have come: what they have, what they have read."""
