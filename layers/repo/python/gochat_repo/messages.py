"""Stored messages: the storing, the changing, and the history."""

from collections.abc import Collection, Iterable

import msgspec

from gochat_core.types import ClientMsgId, ConversationId, MessageId, Seq, UserId
from gochat_repo.command_context import Target
from gochat_repo.mysql import Row, Transaction, values_table
from gochat_repo.reactions import Reaction, decode_reactions, encode_reactions


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


_encode = msgspec.json.Encoder().encode
_decode_mentions = msgspec.json.Decoder(tuple[str, ...]).decode

# FORCE INDEX: a scan would wait for the rows of conversations that others hold.
_UPDATE = """
UPDATE ({values}) v
  STRAIGHT_JOIN messages m FORCE INDEX (PRIMARY) ON m.conversation_id = v.conversation_id AND m.seq = v.seq
  LEFT JOIN message_reactions r FORCE INDEX (PRIMARY)
         ON v.recalled_at_ms IS NOT NULL AND r.conversation_id = v.conversation_id AND r.seq = v.seq
   SET m.content = COALESCE(v.content, m.content), m.reactions = v.reactions, m.edited_at_ms = v.edited_at_ms,
       m.mentions = IF(v.recalled_at_ms IS NULL, m.mentions, NULL), m.recalled_at_ms = v.recalled_at_ms,
       m.last_change = v.last_change, r.is_removed = TRUE"""
_UPDATE_COLUMNS = ("conversation_id", "seq", "content", "reactions", "edited_at_ms", "recalled_at_ms", "last_change")


def insert_messages(tx: Transaction, messages: Iterable[StoredMessage]) -> None:
    """Insert messages in one statement, in the order of their places.

    Their conversations are locked and their seqs follow `last_seq`, so a duplicate key is a fault of ours; unless a
    conversation had no row to lock: then somebody else made it at the same time.
    """
    tx.execute_rows(
        f"INSERT INTO messages ({_INSERT_COLUMNS}) VALUES",
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
                one.edited_at_ms,
                one.recalled_at_ms,
                one.change,
                encode_reactions(one.reactions),
            )
            for one in sorted(messages, key=lambda one: (one.conversation_id, one.seq))
        ],
    )


def update_messages(tx: Transaction, targets: Iterable[Target]) -> None:
    """Write what became of messages, in one statement; their conversations are locked.

    A recalled one loses its content, its mentions and everybody's reactions for good; `content` None keeps what is
    there.
    """
    rows = [
        (
            bytes.fromhex(one.conversation_id),
            one.seq,
            None if one.content is None else one.content.decode(),
            encode_reactions(one.reactions),
            one.edited_at_ms,
            one.recalled_at_ms,
            one.change,
        )
        for one in sorted(targets, key=lambda one: (one.conversation_id, one.seq))
    ]
    tx.execute(
        _UPDATE.format(values=values_table(_UPDATE_COLUMNS, len(rows))), [value for row in rows for value in row]
    )


_INSERT_COLUMNS = (
    "conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type, content, reply_to_seq, mentions,"
    " created_at_ms, edited_at_ms, recalled_at_ms, last_change, reactions"
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
