"""Tells a device that was away what it misses, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gochat_core.clock import Clock
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.conversation_entries import ConversationEntry
from gochat_repo.message_view import find_unlisted_viewers
from gochat_repo.messages import StoredMessage
from gochat_repo.mysql import Database, Transaction
from gochat_repo.reactions import ReactionKey
from gochat_repo.sync import (
    Measured,
    MovedConversation,
    SeqRange,
    list_moved_after,
    list_newest_first,
    load_messages,
    measure,
    start_of,
)
from logic.sync.plan_sync import LIMITS, Part, SyncCursor, SyncLimits, Want, plan_page, plan_wants
from logic.sync.sync_token import SyncToken, read_token, write_token

Place = tuple[ConversationId, Seq]


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncedConversation:
    """One conversation of an answer; `entry.change` is up to which mutation the device then knows all."""

    entry: ConversationEntry
    messages: tuple[StoredMessage, ...]
    changed: tuple[StoredMessage, ...]
    has_more: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncAnswer:
    """One answer; `unlisted` is for the messages' reactions, as `find_unlisted_viewers` told of the caller."""

    token: str
    conversations: tuple[SyncedConversation, ...]
    removed: tuple[ConversationId, ...]
    has_more: bool
    unlisted: frozenset[ReactionKey]


def sync_conversations(
    database: Database,
    clock: Clock,
    caller: UserId,
    *,
    token: str | None,
    cursors: Mapping[ConversationId, SyncCursor],
    limits: SyncLimits = LIMITS,
) -> SyncAnswer:
    """Return a page of what moved in the caller's conversations since the token, or of everything.

    Four database round trips at most, on the writer; costs what moved. Reads only. Raises `InvalidRequest` for the
    token, `Unavailable`. Cursors of conversations that the caller does not have are not even looked at.
    """
    held = SyncToken(since_ms=None) if token is None else read_token(caller, token)
    now_ms = clock.now_ms()

    def work(tx: Transaction) -> SyncAnswer:
        moved = _walk(tx, caller, held, limits)
        wants = plan_wants(moved, held, cursors, limits)
        page = plan_page(moved, wants, _measure(tx, wants, held, limits), held, cursors, limits, now_ms=now_ms)
        stored = load_messages(tx, ranges=_runs(page.parts), places=_places(page.parts))
        return SyncAnswer(
            token=write_token(caller, page.token),
            conversations=tuple(_conversation(part, stored) for part in page.parts),
            removed=page.removed,
            has_more=page.has_more,
            unlisted=find_unlisted_viewers(tx, ((message, (caller,)) for message in stored.values())),
        )

    return database.read(work)


def _walk(tx: Transaction, caller: UserId, token: SyncToken, limits: SyncLimits) -> list[MovedConversation]:
    limit = limits.conversations + 1
    if token.since_ms is None:
        return list_newest_first(tx, caller, token.position, limit=limit)
    return list_moved_after(tx, caller, token.position or start_of(token.since_ms), limit=limit)


def _measure(tx: Transaction, wants: Sequence[Want], token: SyncToken, limits: SyncLimits) -> Measured:
    missing = [want for want in wants if want.range.after_seq < want.range.last_seq]
    return measure(
        tx,
        ranges=[_beginning(want.range, limits.messages) for want in missing if not want.only_younger],
        younger=[want.range for want in missing if want.only_younger],
        than_ms=token.since_ms or 0,
        changed=[want.changed for want in wants if want.changed is not None],
        last=[place for want in wants if (place := _last_place(want.moved)) is not None],
        limit=limits.messages,
    )


def _beginning(whole: SeqRange, count: int) -> SeqRange:
    return msgspec.structs.replace(whole, last_seq=min(whole.last_seq, whole.after_seq + count))


def _last_place(moved: MovedConversation) -> Place | None:
    own = moved.entry.own
    return (moved.entry.conversation_id, own.last_seq) if own.last_seq > own.floor_seq else None


def _runs(parts: Sequence[Part]) -> list[SeqRange]:
    """The messages behind a cursor have no gaps, so that they are read as ranges."""
    return [
        SeqRange(conversation_id=part.moved.entry.conversation_id, after_seq=part.seqs[0] - 1, last_seq=part.seqs[-1])
        for part in parts
        if part.seqs
    ]


def _places(parts: Sequence[Part]) -> set[Place]:
    places = {(part.moved.entry.conversation_id, seq) for part in parts for seq in part.changed}
    for part in parts:
        place = _last_place(part.moved)
        if place is not None and not (part.seqs and part.seqs[0] <= place[1] <= part.seqs[-1]):
            places.add(place)
    return places


def _conversation(part: Part, stored: Mapping[Place, StoredMessage]) -> SyncedConversation:
    conversation_id = part.moved.entry.conversation_id
    last_place = _last_place(part.moved)
    last_message = None if last_place is None else stored.get(last_place)
    return SyncedConversation(
        entry=msgspec.structs.replace(part.moved.entry, last_message=last_message, change=part.change),
        messages=tuple(stored[conversation_id, seq] for seq in part.seqs),
        changed=tuple(stored[conversation_id, seq] for seq in part.changed),
        has_more=part.has_more,
    )
