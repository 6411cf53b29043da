"""How much a client may send: the deployment's limits, as settings and as `hello` tells them."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The default limits of the protocol; each can be set by its GOCHAT_ variable."""

    frames_per_s: float = 20.0
    frames_burst: int = 60
    conversation_messages_per_s: float = 100.0
    ping_interval_s: int = 240
    """Below the platform's 10 idle minutes, and below the 5 minutes after which many mobile networks forget a flow."""
