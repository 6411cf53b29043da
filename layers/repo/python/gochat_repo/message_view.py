"""A stored message as clients see it, over WebSocket and REST alike."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from gochat_contracts.views import MessageView
from gochat_core.clock import rfc3339
from gochat_core.types import UserId
from gochat_repo.messages import StoredMessage
from gochat_repo.mysql import Transaction
from gochat_repo.reactions import ReactionKey, find_unlisted, view_reactions

_encode = msgspec.json.Encoder().encode


def find_unlisted_viewers(
    tx: Transaction, seen: Iterable[tuple[StoredMessage, Iterable[UserId]]]
) -> frozenset[ReactionKey]:
    """Return what these messages' summaries don't tell about their viewers' own reactions, for `view_message`.

    At most one statement, and none where nobody but the listed users reacted, as nearly always.
    """
    return find_unlisted(
        tx,
        (
            (message.conversation_id, message.seq, message.reactions, viewer)
            for message, viewers in seen
            if message.reactions
            for viewer in viewers
        ),
    )


def view_message(message: StoredMessage, viewer: UserId, unlisted: Collection[ReactionKey] = ()) -> MessageView:
    """Return the `message` object of the protocol; its content is passed on as it is stored, never decoded."""
    return MessageView(
        message_id=str(message.message_id),
        conversation_id=message.conversation_id,
        seq=message.seq,
        sender_id=str(message.sender_id),
        client_msg_id=message.client_msg_id,
        type=message.type,
        content=msgspec.Raw(message.content),
        reply_to_seq=message.reply_to_seq,
        mentions=list(message.mentions),
        created_at=rfc3339(message.created_at_ms),
        edited_at=None if message.edited_at_ms is None else rfc3339(message.edited_at_ms),
        recalled=message.recalled_at_ms is not None,
        reactions=view_reactions(message.conversation_id, message.seq, message.reactions, viewer, unlisted),
        change=message.change,
    )


def encode_message(
    message: StoredMessage, viewers: Sequence[UserId], unlisted: Collection[ReactionKey] = ()
) -> Iterator[tuple[msgspec.Raw, tuple[UserId, ...]]]:
    """Yield the view as JSON with whom it is for: encoded once for all who see the same of it.

    Viewers differ in their own reactions alone; a fresh message has none and is encoded once.
    """
    if viewers and not message.reactions:
        yield msgspec.Raw(_encode(view_message(message, viewers[0]))), tuple(viewers)
        return
    groups: dict[tuple[bool, ...], list[UserId]] = {}
    for viewer in viewers:
        seen = view_reactions(message.conversation_id, message.seq, message.reactions, viewer, unlisted)
        groups.setdefault(tuple(one.mine for one in seen), []).append(viewer)
    for group in groups.values():
        yield msgspec.Raw(_encode(view_message(message, group[0], unlisted))), tuple(group)
