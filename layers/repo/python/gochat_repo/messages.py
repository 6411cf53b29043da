"""Stored messages: what a batch needs to know before it stores, the storing itself, and the history."""

from collections.abc import Collection, Sequence

import msgspec

from gochat_core.types import ClientMsgId, ConversationId, MessageId, Seq, UserId
from gochat_repo.mysql import Row, Transaction
from gochat_repo.reactions import Reaction, decode_reactions

MessageKey = tuple[ConversationId, UserId, ClientMsgId]
"""What makes a message the same message, however often and over whichever door it comes."""


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `messages`; `content` is JSON in UTF-8, `mentions` are user ids as text or the one word `all`."""

    conversation_id: ConversationId
    seq: Seq
    message_id: MessageId
    sender_id: UserId
    client_msg_id: ClientMsgId
    content_hash: bytes
    type: str
    content: bytes
    reply_to_seq: Seq | None
    mentions: tuple[str, ...]
    created_at_ms: int
    edited_at_ms: int | None = None
    recalled_at_ms: int | None = None
    change: int = 0
    reactions: tuple[Reaction, ...] = ()


class KnownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is stored already, as far as a resend's answer needs it; `announced`: no outbox row stands."""

    seq: Seq
    message_id: MessageId
    content_hash: bytes
    created_at_ms: int
    announced: bool


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """From which seq a user belongs to a conversation, and until which; `is_alive`: the account is not erased."""

    join_seq: Seq
    left_seq: Seq | None
    is_alive: bool


class SendContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the stores know about a batch of messages to be sent."""

    known: dict[MessageKey, KnownMessage]
    members: dict[ConversationId, dict[UserId, Membership]]
    alive: frozenset[UserId]


_STORED, _MEMBER, _USER = 1, 2, 3

_encode = msgspec.json.Encoder().encode
_decode_mentions = msgspec.json.Decoder(tuple[str, ...]).decode

_SEND_CONTEXT = """
SELECT 1, m.conversation_id, m.sender_id, m.client_msg_id, m.seq, m.message_id, m.content_hash, m.created_at_ms,
       o.number IS NULL
  FROM messages m
  LEFT JOIN outbox o ON o.conversation_id = m.conversation_id AND o.kind = 'message' AND o.number = m.seq
 WHERE (m.conversation_id, m.sender_id, m.client_msg_id) IN %s
UNION ALL
SELECT 2, p.conversation_id, p.user_id, NULL, p.join_seq, p.left_seq, NULL, NULL,
       u.user_id IS NOT NULL AND u.deleted_at_ms IS NULL
  FROM conversation_participants p
  LEFT JOIN users u ON u.user_id = p.user_id
 WHERE p.conversation_id IN %s
UNION ALL
SELECT 3, NULL, user_id, NULL, NULL, NULL, NULL, NULL, 1 FROM users WHERE user_id IN %s AND deleted_at_ms IS NULL
"""


def get_send_context(tx: Transaction, keys: Collection[MessageKey], user_ids: Collection[UserId]) -> SendContext:
    """Read, in one statement, which of these messages are stored already, who belongs to their conversations, and which
    of these users there are.

    The conversations must be locked before, so that nobody stores, joins or leaves meanwhile. Each branch is a range on
    a unique key: the cost follows the batch, not the tables.
    """
    conversation_ids = {conversation_id for conversation_id, _, _ in keys}
    rows = tx.query(
        _SEND_CONTEXT,
        (
            tuple((bytes.fromhex(conversation_id), sender, client) for conversation_id, sender, client in keys),
            tuple(bytes.fromhex(conversation_id) for conversation_id in conversation_ids),
            tuple(user_ids) or (0,),
        ),
    )
    known: dict[MessageKey, KnownMessage] = {}
    members: dict[ConversationId, dict[UserId, Membership]] = {}
    alive: set[UserId] = set()
    for kind, conversation, user, client_msg_id, number, other_number, content_hash, created_at_ms, flag in rows:
        # A column of a union may come as a decimal, whatever its branches are.
        user_id = UserId(int(user))
        if kind == _USER:
            alive.add(user_id)
        elif kind == _MEMBER:
            members.setdefault(ConversationId(conversation.hex()), {})[user_id] = Membership(
                join_seq=Seq(int(number)),
                left_seq=None if other_number is None else Seq(int(other_number)),
                is_alive=bool(flag),
            )
        elif kind == _STORED:
            known[(ConversationId(conversation.hex()), user_id, client_msg_id)] = KnownMessage(
                seq=Seq(int(number)),
                message_id=MessageId(int(other_number)),
                content_hash=content_hash,
                created_at_ms=int(created_at_ms),
                announced=bool(flag),
            )
    return SendContext(known=known, members=members, alive=frozenset(alive))


def insert_messages(tx: Transaction, messages: Sequence[StoredMessage]) -> None:
    """Insert messages in one statement.

    Their conversations are locked and their seqs follow `last_seq`, so a duplicate key is a fault of ours.
    """
    tx.execute_rows(
        "INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type, content,"
        " reply_to_seq, mentions, created_at_ms) VALUES",
        [
            (
                bytes.fromhex(one.conversation_id),
                one.seq,
                one.message_id,
                one.sender_id,
                one.client_msg_id,
                one.content_hash,
                one.type,
                one.content.decode(),
                one.reply_to_seq,
                _encode(one.mentions).decode() if one.mentions else None,
                one.created_at_ms,
            )
            for one in messages
        ],
    )


_COLUMNS = (
    "m.conversation_id, m.seq, m.message_id, m.sender_id, m.client_msg_id, m.content_hash, m.type, m.content,"
    " m.reply_to_seq, m.mentions, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change,"
    " m.reactions"
)
MESSAGE_COLUMNS = _COLUMNS
"""For a SELECT that joins `messages m`; `message_from_row` reads them."""


def message_from_row(row: Row) -> StoredMessage:
    """Read the columns that MESSAGE_COLUMNS names; the content of a recalled message is gone."""
    mentions, recalled_at_ms = row[9], row[12]
    return StoredMessage(
        conversation_id=ConversationId(row[0].hex()),
        seq=row[1],
        message_id=row[2],
        sender_id=row[3],
        client_msg_id=row[4],
        content_hash=row[5],
        type=row[6],
        content=b"{}" if recalled_at_ms is not None else row[7].encode(),
        reply_to_seq=row[8],
        mentions=_decode_mentions(mentions) if mentions else (),
        created_at_ms=row[10],
        edited_at_ms=row[11],
        recalled_at_ms=recalled_at_ms,
        change=row[13],
        reactions=decode_reactions(row[14]),
    )


def get_messages(tx: Transaction, places: Collection[tuple[ConversationId, Seq]]) -> list[StoredMessage]:
    """Read messages by their places, ordered by conversation and seq; those that don't exist are left out."""
    if not places:
        return []
    rows = tx.query(
        f"SELECT {_COLUMNS} FROM messages m WHERE (m.conversation_id, m.seq) IN %s"  # noqa: S608 - constant
        " ORDER BY m.conversation_id, m.seq",
        (tuple((bytes.fromhex(conversation_id), seq) for conversation_id, seq in places),),
    )
    return [message_from_row(row) for row in rows]


def list_messages_after(
    tx: Transaction, conversation_id: ConversationId, *, after_seq: int, limit: int
) -> list[StoredMessage]:
    """Read up to `limit` messages behind a seq, ascending; costs the same at every seq."""
    rows = tx.query(
        f"SELECT {_COLUMNS} FROM messages m WHERE m.conversation_id = %s AND m.seq > %s"  # noqa: S608 - constant
        " ORDER BY m.seq LIMIT %s",
        (bytes.fromhex(conversation_id), after_seq, limit),
    )
    return [message_from_row(row) for row in rows]


def list_messages_before(
    tx: Transaction, conversation_id: ConversationId, *, before_seq: int, floor_seq: int, limit: int
) -> list[StoredMessage]:
    """Read up to `limit` messages below a seq and above `floor_seq`, the latest of them, descending."""
    rows = tx.query(
        f"SELECT {_COLUMNS} FROM messages m WHERE m.conversation_id = %s AND m.seq < %s AND m.seq > %s"  # noqa: S608
        " ORDER BY m.seq DESC LIMIT %s",
        (bytes.fromhex(conversation_id), before_seq, floor_seq, limit),
    )
    return [message_from_row(row) for row in rows]
