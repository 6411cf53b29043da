"""An `@connections` API in memory, held to the contract of the real one."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence

from gochat_aws.connections_api import MAX_POST_BYTES, Call, Outcome, Reply


class InMemoryConnections:
    """Keep what was sent to each connection; connections exist unless they stand in `gone`."""

    def __init__(self) -> None:
        self.posted: dict[str, list[bytes]] = defaultdict(list)
        self.calls: list[Call] = []
        self.deleted: list[str] = []
        self.gone: set[str] = set()
        self.outcomes: dict[str, deque[Outcome]] = defaultdict(deque)
        """Outcomes to give out before anything else, one a call to that connection."""
        self.now_s: Callable[[], float] = time.time

    def send_all(self, calls: Sequence[Call], *, timeout_s: float) -> list[Reply]:
        """Make the calls, chain by chain, as the real one does."""
        ended: dict[str, Outcome] = {}
        replies = []
        for call in calls:
            outcome = ended.get(call.connection_id) or self._send(call)
            if outcome in (Outcome.GONE, Outcome.RETRY_LATER):
                ended[call.connection_id] = outcome
            replies.append(Reply(outcome=outcome))
        return replies

    def _send(self, call: Call) -> Outcome:
        if len(call.body) > MAX_POST_BYTES:
            return Outcome.TOO_LARGE
        if call.worthless_after_s <= self.now_s():
            return Outcome.TOO_LATE
        if call.connection_id in ("", ".", ".."):
            return Outcome.GONE
        self.calls.append(call)
        scripted = self.outcomes.get(call.connection_id)
        if scripted:
            outcome = scripted.popleft()
        else:
            outcome = Outcome.GONE if call.connection_id in self.gone else Outcome.DELIVERED
        if outcome is Outcome.DELIVERED and call.method == "DELETE":
            self.deleted.append(call.connection_id)
            self.gone.add(call.connection_id)
        elif outcome is Outcome.DELIVERED and call.method == "POST":
            self.posted[call.connection_id].append(call.body)
        return outcome
