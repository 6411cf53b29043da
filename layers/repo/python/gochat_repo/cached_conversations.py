"""What fan-out reads of conversations through the cache: messages by their place, members, whom one has chats with."""

from collections.abc import Sequence

import msgspec

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.cached_kinds import Kind
from gochat_repo.messages import StoredMessage, get_messages
from gochat_repo.mysql import Transaction
from gochat_repo.participants import MemberSpan, list_members

Place = tuple[ConversationId, Seq]
"""Where a message stands."""

MAX_CONVERSATIONS = 1000
"""Of one user, those that were active last: 16 KB. Who is not found among them is asked of MySQL."""

_ID_BYTES = 16
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


CONVERSATION_MEMBERS: Kind[ConversationId, dict[UserId, MemberSpan]] = Kind(
    name="conversation_members",
    load=list_members,
    encode=_encode,
    decode=msgspec.msgpack.Decoder(dict[UserId, MemberSpan]).decode,
    reads_writer=True,
    waits=False,
    leaves_tombstone=False,
)
"""Of conversations below the size of a large group, former members too."""


def _load_conversations(tx: Transaction, user_ids: Sequence[UserId]) -> dict[UserId, frozenset[ConversationId]]:
    (user_id,) = user_ids
    rows = tx.query(
        "SELECT conversation_id FROM conversation_participants FORCE INDEX (participants_activity)"
        " WHERE user_id = %s AND left_seq IS NULL ORDER BY activity_at_ms DESC LIMIT %s",
        (user_id, MAX_CONVERSATIONS),
    )
    return {user_id: frozenset(ConversationId(row[0].hex()) for row in rows)}


def _encode_conversations(conversation_ids: frozenset[ConversationId]) -> bytes:
    return b"".join(map(bytes.fromhex, conversation_ids))


def _decode_conversations(payload: bytes) -> frozenset[ConversationId]:
    if len(payload) % _ID_BYTES:
        raise msgspec.DecodeError("not a list of conversation ids")
    return frozenset(
        ConversationId(payload[start : start + _ID_BYTES].hex()) for start in range(0, len(payload), _ID_BYTES)
    )


USER_CONVERSATIONS: Kind[UserId, frozenset[ConversationId]] = Kind(
    name="user_conversations",
    load=_load_conversations,
    encode=_encode_conversations,
    decode=_decode_conversations,
)
"""Conversations of one user, who is still in them; the MAX_CONVERSATIONS that were active last. One user a call."""
