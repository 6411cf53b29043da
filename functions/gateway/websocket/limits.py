"""How much a client may send: the deployment's limits, as settings and as `hello` tells them."""

from gochat_contracts.limits import SendLimits


class Limits(SendLimits, frozen=True, kw_only=True):
    """The limits that both doors keep, and what holds for connections alone; each can be set by its variable."""

    ping_interval_s: int = 240
    """Below the platform's 10 idle minutes, and below the 5 minutes after which many mobile networks forget a flow."""
