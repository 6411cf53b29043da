"""Reads the history of a conversation, upwards or downwards from a seq."""

from dataclasses import dataclass

from gochat_core.errors import ConversationNotFound, FieldFault, InvalidRequest
from gochat_core.types import ConversationId, UserId
from gochat_repo.message_view import find_unlisted_viewers
from gochat_repo.messages import StoredMessage, list_messages_after, list_messages_before
from gochat_repo.mysql import Database, Transaction
from gochat_repo.participants import get_participation
from gochat_repo.reactions import ReactionKey

MAX_SEQ = (1 << 63) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryPage:
    """Messages in ascending seq, and whether there are more in the direction that was asked for.

    `unlisted` is for their reactions, as `find_unlisted_viewers` told of the caller.
    """

    messages: tuple[StoredMessage, ...]
    has_more: bool
    unlisted: frozenset[ReactionKey]


def list_messages(
    database: Database,
    caller: UserId,
    conversation_id: ConversationId,
    *,
    before_seq: int | None,
    after_seq: int | None,
    limit: int,
) -> HistoryPage:
    """Return the messages next to a seq, or the latest; what lies before joining or clearing is not shown.

    Two database round trips, three where more than 20 reacted to a message, the same cost at every seq. Raises
    `ConversationNotFound` for outsiders, `InvalidRequest` when both seqs are given.
    """
    if before_seq is not None and after_seq is not None:
        raise InvalidRequest(faults=[FieldFault(field="after_seq", message="can't be given beside before_seq")])

    def work(tx: Transaction) -> HistoryPage:
        own = get_participation(tx, conversation_id, caller)
        if own is None:
            raise ConversationNotFound
        if after_seq is not None:
            behind = max(min(after_seq, MAX_SEQ), own.floor_seq)
            found = list_messages_after(tx, conversation_id, after_seq=behind, limit=limit + 1)
            messages = found[:limit]
        else:
            below = MAX_SEQ if before_seq is None else min(before_seq, MAX_SEQ)
            floor_seq = own.floor_seq
            found = list_messages_before(tx, conversation_id, before_seq=below, floor_seq=floor_seq, limit=limit + 1)
            messages = found[:limit][::-1]
        return HistoryPage(
            messages=tuple(messages),
            has_more=len(found) > limit,
            unlisted=find_unlisted_viewers(tx, ((message, (caller,)) for message in messages)),
        )

    return database.read(work)
