"""Metadata that gateway-http sends beside a call to im-logic."""

IDEMPOTENCY_KEY = "idempotency-key"
"""The Idempotency-Key of a mutating request, as the client wrote it."""
