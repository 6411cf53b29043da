"""What a month's use is made of, and what it makes the parts of the system do."""

from dataclasses import dataclass

from dev_cli.cost.lines import DAYS

PING_MINUTES = 4.0
"""How often a client sends a heartbeat if it does as it is told (`functions/gateway/websocket/limits.py`)."""

CONNECTION_HOURS = 2
"""How long API Gateway keeps a connection at most."""

LARGE_GROUP = 100
"""From this many members on, a task fans out in pages."""

PAGE = 500
"""Members of a page of such a fan-out, about."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A month of use; shares are between 0 and 1."""

    users: int = 0
    messages: float = 0
    group_share: float = 0.0
    """Share of the messages that are sent to groups."""
    group_size: int = 20
    devices: float = 1.0
    """Devices of a user."""
    online: float = 1.0
    """Share of the recipients who are connected when a message comes; the others get a push."""
    hours: float = 0.0
    """Hours a day that a device is connected."""
    ping_minutes: float = PING_MINUTES
    """Minutes between two heartbeats of a connection."""
    reads: float = 0.0
    """Receipts for each message and recipient: who reads ten at once sends one."""
    media_share: float = 0.0
    """Share of the messages that point at a file."""
    media_kib: float = 300.0
    rest_calls: float = 0.0
    """REST calls of a user a day, logins and catching up among them."""
    batch: float = 10.0
    """How many records a batch holds: 1 on a quiet stage, hundreds under load. The fuller, the cheaper."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What that makes of a month, in pieces."""

    messages: float
    recipients: float
    receipts: float
    pings: float
    frames_in: float
    posts: float
    """Frames that `deliver` posts, each counted alone: full batches send several in one."""
    connection_minutes: float
    connects: float
    rest_calls: float
    pushes: float
    fan_out_pages: float
    uploads: float
    downloads: float
    batch: float

    @property
    def frames(self) -> float:
        """Everything that is billed as a WebSocket message: frames in, their answers, posts."""
        return self.frames_in * 2 + self.posts


def traffic_of(work: Workload) -> Traffic:
    """Work it out; every frame but a heartbeat is answered with `ack`, heartbeats with `pong`."""
    grouped = work.messages * work.group_share
    recipients = work.messages - grouped + grouped * (work.group_size - 1)
    receipts = recipients * work.online * work.reads
    new = recipients * work.devices * work.online + work.messages * (work.devices - 1)
    minutes = work.users * work.devices * work.hours * 60 * DAYS
    pings = minutes / work.ping_minutes
    uploads = work.messages * work.media_share
    large = grouped if work.group_size >= LARGE_GROUP else 0.0
    return Traffic(
        messages=work.messages,
        recipients=recipients,
        receipts=receipts,
        pings=pings,
        frames_in=work.messages + receipts + pings,
        posts=work.messages + new + receipts * work.devices,
        connection_minutes=minutes,
        connects=work.users * work.devices * DAYS * max(1.0, work.hours / CONNECTION_HOURS) if work.hours else 0.0,
        rest_calls=work.users * work.rest_calls * DAYS + uploads,
        pushes=recipients * (1 - work.online),
        fan_out_pages=large * -(-work.group_size // PAGE),
        uploads=uploads,
        downloads=uploads * recipients / work.messages if work.messages else 0.0,
        batch=work.batch,
    )
