"""What can go wrong with a service of the local stage; every message says what to do next."""

# ServiceError
# ├── MissingProgram   the machine has no such program: install it
# ├── DidNotStart      the server died or stayed silent: its log's end is in the message
# └── Unreachable      an external server named by the caller does not answer


class ServiceError(Exception):
    """Be the root of everything that the services of the local stage raise."""


class MissingProgram(ServiceError):
    """Say that a program is not installed, and how to install it."""


class DidNotStart(ServiceError):
    """Say that a server died before it was ready, or was not ready in time."""


class Unreachable(ServiceError):
    """Say that an external server gives no answer at the address that the caller named."""
