"""What fan-out reads of conversations through the cache: messages by their place."""

from collections.abc import Sequence

import msgspec

from gochat_core.types import ConversationId, Seq
from gochat_repo.cached_kinds import Kind
from gochat_repo.messages import StoredMessage, get_messages
from gochat_repo.mysql import Transaction

Place = tuple[ConversationId, Seq]
"""Where a message stands."""

_encode = msgspec.msgpack.Encoder().encode


def _write_place(place: Place) -> str:
    return f"{place[0]}:{place[1]}"


def _load_messages(tx: Transaction, places: Sequence[Place]) -> dict[Place, StoredMessage]:
    return {(one.conversation_id, one.seq): one for one in get_messages(tx, places)}


MESSAGES: Kind[Place, StoredMessage] = Kind(
    name="message",
    load=_load_messages,
    encode=_encode,
    decode=msgspec.msgpack.Decoder(StoredMessage).decode,
    write_id=_write_place,
    reads_writer=True,
    waits=False,
    keeps_absence=False,
)
"""For work that follows a message at once; it was stored a moment ago, so a reader of Aurora may not have it yet."""
