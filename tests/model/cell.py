"""API Gateway's part in memory: WebSocket connections with their handshakes, frames, posts and ends."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gochat_aws.connections_api import Call, Outcome, Reply
from tests.fakes.clock import SettableClock

Phase = Literal["opening", "open", "limbo", "dropped", "closed"]
"""In limbo the client is gone and the platform does not know; once it knows, the connection is dropped."""

Frame = dict[str, Any]


@dataclass
class Socket:
    """One connection, with what its client has got on it."""

    connection_id: str
    user: str
    device: str
    session: str
    connected_at_ms: int
    phase: Phase = "opening"
    authorizer: dict[str, str] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    throttled: int = 0

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the event of the WebSocket API that tells of this connection."""
        context = {
            "eventType": kind,
            "routeKey": "$default",
            "connectionId": self.connection_id,
            "connectedAt": self.connected_at_ms,
            "requestId": "request-1",
            "authorizer": self.authorizer,
        }
        return {"requestContext": context, **fields}


@dataclass
class Cell:
    """All connections there ever were.

    `farewells` are `$disconnect` events that are still to be sent; `posted` is what the platform took for whom.
    """

    clock: SettableClock
    sockets: dict[str, Socket] = field(default_factory=dict)
    farewells: list[Socket] = field(default_factory=list)
    posted: list[tuple[Socket, Frame]] = field(default_factory=list)
    _last_at_ms: int = 0

    def open(self, user: str, device: str, session: str) -> Socket:
        """Begin a handshake; the platform's own clock never goes back, and no two connections are of one instant."""
        self._last_at_ms = max(self.clock.now_ms(), self._last_at_ms + 1)
        connection_id = base64.urlsafe_b64encode(f"{len(self.sockets):07}".encode()).decode()[:-1] + "="
        socket = Socket(connection_id, user, device, session, self._last_at_ms)
        self.sockets[connection_id] = socket
        return socket

    def end(self, socket: Socket, phase: Phase) -> None:
        """End a connection as the platform knows it, which then tells the function some time."""
        if socket.phase in ("open", "limbo"):
            self.farewells.append(socket)
        socket.phase = phase

    def send_all(self, calls: Sequence[Call], *, timeout_s: float) -> list[Reply]:
        """Take calls to `@connections`; after one that failed the later ones to the same connection share its fate."""
        ended: dict[str, Outcome] = {}
        replies = []
        for call in calls:
            outcome = ended.get(call.connection_id) or self._take(call)
            if outcome in (Outcome.GONE, Outcome.RETRY_LATER):
                ended[call.connection_id] = outcome
            replies.append(Reply(outcome=outcome, at_ms=self.clock.now_ms()))
        return replies

    def _take(self, call: Call) -> Outcome:
        socket = self.sockets.get(call.connection_id)
        if socket is None or socket.phase in ("dropped", "closed"):
            return Outcome.GONE
        if socket.phase == "opening":
            # The real client asks again until that time is over, and then leaves it for later.
            is_young = self.clock.now_ms() < call.retry_gone_until_s * 1000
            return Outcome.RETRY_LATER if is_young else Outcome.GONE
        if socket.throttled:
            socket.throttled -= 1
            return Outcome.RETRY_LATER
        if call.method == "DELETE":
            self.end(socket, "closed")
        elif call.method == "POST":
            frame = json.loads(call.body)
            self.posted.append((socket, frame))
            if socket.phase == "open":
                socket.frames.append(frame)
        return Outcome.DELIVERED
