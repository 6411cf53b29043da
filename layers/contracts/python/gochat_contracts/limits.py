"""How much a client may send, whichever door it takes: the deployment's limits and their defaults."""

import msgspec


class SendLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The protocol's defaults; each can be set by its GOCHAT_ variable, on every function that keeps it alike."""

    frames_per_s: float = 20.0
    frames_burst: int = 60
    conversation_messages_per_s: float = 100.0

    def conversation_burst(self) -> int:
        """Return how many messages of one conversation may come at once after a rest: one second's worth."""
        return max(1, int(self.conversation_messages_per_s))
