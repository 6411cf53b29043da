"""Reads what MySQL holds of conversations, in the form in which the reference model holds it."""

import json
from collections.abc import Sequence
from typing import Any

from gochat_repo.mysql import Database, Transaction
from tests.model.reference import Chat

State = dict[str, Any]


def state_of(chat: Chat) -> State | None:
    """Return what the model says that the tables must hold; None while there is nothing to hold."""
    if not chat.is_open:
        return None
    return {
        "last_seq": chat.last_seq,
        "change": chat.change,
        "members": {
            user: (one.join_seq, one.left_seq, one.read, one.sent, one.delivered, one.cleared, not chat.is_listed(user))
            for user, one in chat.members.items()
        },
        "messages": [
            (one.seq, one.sender, one.client_msg_id, one.content, one.change, one.edited, one.recalled, one.reactions)
            for one in chat.messages
        ],
    }


def read_states(database: Database, chat_ids: Sequence[str]) -> dict[str, State]:
    """Return what the tables hold of these conversations; those without a row are left out."""
    return database.read(lambda tx: _read(tx, tuple(bytes.fromhex(one) for one in chat_ids)))


def read_created_at(database: Database, chat_id: str) -> list[int]:
    """Return when each message was stored, in milliseconds since 1970, in the order of seq."""
    sql = "SELECT created_at_ms FROM messages WHERE conversation_id = %s ORDER BY seq"
    return [row[0] for row in database.read(lambda tx: tx.query(sql, (bytes.fromhex(chat_id),)))]


def _read(tx: Transaction, keys: tuple[bytes, ...]) -> dict[str, State]:
    found: dict[str, State] = {}
    for key, last_seq, change in tx.query(
        "SELECT conversation_id, last_seq, last_change FROM conversations WHERE conversation_id IN %s", (keys,)
    ):
        found[key.hex()] = {"last_seq": last_seq, "change": change, "members": {}, "messages": []}
    for key, user, *cursors, hidden_seq in tx.query(
        # Whoever has read a message has got it: which of the two columns tells that is the product's affair.
        "SELECT conversation_id, user_id, join_seq, left_seq, read_seq, sent_seq, GREATEST(delivered_seq, read_seq),"
        " cleared_seq, hidden_seq"
        " FROM conversation_participants WHERE conversation_id IN %s",
        (keys,),
    ):
        is_hidden = hidden_seq is not None and found[key.hex()]["last_seq"] <= hidden_seq
        found[key.hex()]["members"][str(user)] = (*cursors, is_hidden)
    reactions = _reactions(tx, keys)
    for key, seq, sender, client_msg_id, content, change, edited, recalled in tx.query(
        "SELECT conversation_id, seq, sender_id, client_msg_id, content, last_change, edited_at_ms, recalled_at_ms"
        " FROM messages WHERE conversation_id IN %s ORDER BY conversation_id, seq",
        (keys,),
    ):
        is_recalled = recalled is not None
        shown = {} if is_recalled else reactions.get((key, seq), {})
        text = json.loads(content or "{}")
        message = (seq, str(sender), client_msg_id, text, change, edited is not None, is_recalled, shown)
        found[key.hex()]["messages"].append(message)
    return found


def _reactions(tx: Transaction, keys: tuple[bytes, ...]) -> dict[tuple[bytes, int], dict[str, list[str]]]:
    found: dict[tuple[bytes, int], dict[str, list[str]]] = {}
    for key, seq, emoji, user in tx.query(
        "SELECT conversation_id, seq, emoji, user_id FROM message_reactions WHERE conversation_id IN %s"
        " AND NOT is_removed ORDER BY reacted_change",
        (keys,),
    ):
        found.setdefault((key, seq), {}).setdefault(emoji, []).append(str(user))
    return found
