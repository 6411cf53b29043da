"""How long a page of a list is."""

from gochat_core.errors import FieldFault, InvalidRequest

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
"""Of every paged list (protocol, conventions)."""


def page_size(limit: int) -> int:
    """Return the limit that a call asked for; 0, protobuf's absent, is the default. Raises `InvalidRequest`."""
    if limit == 0:
        return DEFAULT_LIMIT
    if limit > MAX_LIMIT:
        raise InvalidRequest(faults=[FieldFault(field="limit", message=f"must be 1 to {MAX_LIMIT}")])
    return limit
