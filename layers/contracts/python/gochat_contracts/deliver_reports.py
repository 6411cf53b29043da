"""What `deliver` hands to `websocket` by asynchronous invocations, as it stands outside the VPC itself."""

import msgspec

from gochat_contracts.records import DeadLetter, MessageRef
from gochat_core.types import ConnectionId, DeviceId, UserId


class MissedBy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A connection that is gone, and the messages that could not be posted to it."""

    user_id: UserId
    device_id: DeviceId
    connection_id: ConnectionId
    missed: tuple[MessageRef, ...] = ()


class DeadConnections(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="gochat", tag="dead_connections"
):
    """What `deliver` reports to `websocket` by an asynchronous invocation: the synthetic disconnect."""

    connections: tuple[MissedBy, ...]


class DeadLetters(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="gochat", tag="dead_letters"
):
    """Records that `deliver` can't read, on their way to the dead-letter topic, which it can't reach itself."""

    letters: tuple[DeadLetter, ...]


class HandedBack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="gochat", tag="handed_back"):
    """What `deliver` can't post yet and waits for no longer: its connection may still be in its handshake.

    Each of `records` is a DownstreamRecord for one connection, as text.
    """

    records: tuple[str, ...]


DeliverReport = DeadConnections | DeadLetters | HandedBack
"""Everything that `deliver` reports to `websocket`."""
