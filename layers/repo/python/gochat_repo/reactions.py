"""Reactions: the summary that stands with each message, the rows of who reacted, and what a viewer sees of them."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from gochat_contracts.views import ReactionView
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.mysql import Transaction

LISTED_USERS = 20
"""How many users a summary names for each emoji, the first ones (protocol, `reactions`)."""

MAX_EMOJI = 20
"""Different emoji below one message (protocol, `reactions`)."""


class Reaction(msgspec.Struct, frozen=True, array_like=True):
    """One emoji below a message: how many reacted with it, and the first LISTED_USERS of them in their order."""

    emoji: str
    count: int
    user_ids: tuple[UserId, ...]

    @property
    def names_everybody(self) -> bool:
        """Whether nobody reacted who isn't listed."""
        return self.count <= len(self.user_ids)


class ReactionRow(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody reacted, or no longer does; `change` is the conversation's change that this was."""

    conversation_id: ConversationId
    seq: Seq
    emoji: str
    user_id: UserId
    change: int
    is_removed: bool


ReactionKey = tuple[ConversationId, Seq, str, UserId]
"""A message, an emoji, and who reacted with it."""

ListKey = tuple[ConversationId, Seq, str]
"""One emoji below one message."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[Reaction, ...]).decode

_KEYS = "SELECT conversation_id, seq, emoji, user_id FROM message_reactions WHERE NOT is_removed AND "
_OF_VIEWERS = _KEYS + "(conversation_id, seq, emoji, user_id) IN %s"

_FIRST_USERS = """
SELECT conversation_id, seq, emoji, user_id FROM (
  SELECT conversation_id, seq, emoji, user_id, reacted_change,
         ROW_NUMBER() OVER (PARTITION BY conversation_id, seq, emoji ORDER BY reacted_change) AS place
    FROM message_reactions WHERE (conversation_id, seq, emoji) IN %s AND NOT is_removed
) ranked WHERE place <= %s ORDER BY conversation_id, seq, emoji, place
"""


def decode_reactions(column: str | None) -> tuple[Reaction, ...]:
    """Read the column `messages.reactions`."""
    return _decode(column) if column else ()


def encode_reactions(reactions: Sequence[Reaction]) -> str | None:
    """Write the column `messages.reactions`."""
    return _encode(reactions).decode() if reactions else None


def with_reaction(reactions: Sequence[Reaction], emoji: str, user_id: UserId) -> tuple[Reaction, ...]:
    """Return a summary to which somebody was added, who must not have reacted with this emoji yet."""
    before = {one.emoji: one for one in reactions}
    held = before.get(emoji, Reaction(emoji, 0, ()))
    listed = (*held.user_ids, user_id) if held.names_everybody and held.count < LISTED_USERS else held.user_ids
    return tuple((before | {emoji: Reaction(emoji, held.count + 1, listed)}).values())


def without_reaction(reactions: Sequence[Reaction], emoji: str, user_id: UserId) -> tuple[Reaction, ...]:
    """Return a summary from which somebody was taken, who must have reacted with this emoji.

    When a listed user goes and others are unlisted, the list must be read again (`list_first_users`).
    """
    kept = (
        Reaction(one.emoji, one.count - 1, tuple(user for user in one.user_ids if user != user_id))
        if one.emoji == emoji
        else one
        for one in reactions
    )
    return tuple(one for one in kept if one.count > 0)


def needs_first_users(reaction: Reaction) -> bool:
    """Whether the list lacks somebody who belongs to the first LISTED_USERS."""
    return len(reaction.user_ids) < min(reaction.count, LISTED_USERS)


def save_reactions(tx: Transaction, rows: Sequence[ReactionRow]) -> None:
    """Add and remove reactions in one statement; the conversations are locked."""
    tx.execute_rows(
        "INSERT INTO message_reactions (conversation_id, seq, emoji, user_id, reacted_change, is_removed) VALUES",
        [
            (bytes.fromhex(one.conversation_id), one.seq, one.emoji, one.user_id, one.change, one.is_removed)
            for one in sorted(rows, key=lambda one: (one.conversation_id, one.seq, one.emoji, one.user_id))
        ],
        "ON DUPLICATE KEY UPDATE reacted_change = VALUES(reacted_change), is_removed = VALUES(is_removed)",
    )


def list_first_users(tx: Transaction, keys: Collection[ListKey]) -> dict[ListKey, tuple[UserId, ...]]:
    """Read the first LISTED_USERS of each list, in one statement."""
    rows = tx.query(
        _FIRST_USERS,
        (tuple((bytes.fromhex(conversation), seq, emoji) for conversation, seq, emoji in keys), LISTED_USERS),
    )
    found: dict[ListKey, tuple[UserId, ...]] = dict.fromkeys(keys, ())
    for conversation, seq, emoji, user_id in rows:
        key = (ConversationId(conversation.hex()), Seq(seq), emoji)
        found[key] = (*found[key], UserId(user_id))
    return found


def find_unlisted(
    tx: Transaction, seen: Iterable[tuple[ConversationId, Seq, Sequence[Reaction], UserId]]
) -> frozenset[ReactionKey]:
    """Return which of these viewers reacted without being listed; `seen` are messages, their summaries, and who looks.

    One statement, and none at all where the summaries name everybody.
    """
    asked = {
        (bytes.fromhex(conversation_id), seq, reaction.emoji, viewer)
        for conversation_id, seq, reactions, viewer in seen
        for reaction in reactions
        if not reaction.names_everybody and viewer not in reaction.user_ids
    }
    if not asked:
        return frozenset()
    rows = tx.query(_OF_VIEWERS, (tuple(asked),))
    return frozenset(
        (ConversationId(conversation.hex()), Seq(seq), emoji, UserId(user_id))
        for conversation, seq, emoji, user_id in rows
    )


def view_reactions(
    conversation_id: ConversationId,
    seq: Seq,
    reactions: Sequence[Reaction],
    viewer: UserId,
    unlisted: Collection[ReactionKey] = (),
) -> list[ReactionView]:
    """Return a summary as one viewer sees it; `unlisted` is what `find_unlisted` told of this viewer."""
    return [
        ReactionView(
            emoji=one.emoji,
            count=one.count,
            mine=viewer in one.user_ids or (conversation_id, seq, one.emoji, viewer) in unlisted,
            user_ids=[str(user_id) for user_id in one.user_ids],
        )
        for one in reactions
    ]
