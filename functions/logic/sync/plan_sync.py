"""Decides what one answer of /sync holds: what to look for behind each cursor, and how much of it fits."""

from collections.abc import Mapping, Sequence

import msgspec

from gochat_core.types import ConversationId, Seq
from gochat_repo.sync import ChangedRange, Measured, MeasuredMessage, MovedConversation, SeqRange, WalkPosition
from logic.sync.sync_token import Rest, SyncToken


class SyncLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one answer holds (protocol, `/sync`): conversations, and of each so many messages and mutated ones.

    `latest`: messages of a conversation that a device hears of for the first time. `bytes`: an answer passes two
    functions, each of which may return 6 MB (Lambda quotas, "Invocation payload"), the first as base64 in JSON and the
    second as text that JSON escapes once more.
    """

    conversations: int = 50
    messages: int = 100
    latest: int = 20
    bytes: int = 2_000_000


LIMITS = SyncLimits()

REACH_BACK_MS = 30_000
"""How far a token reaches back over the beginning of the walk that it ends (architecture, "Data"): what was stamped
before it and committed after it is told then; a transaction waits some seconds for its locks at most."""

_MESSAGE_BYTES = 600
"""What a message takes beside its content, mentions and reactions."""

_CONVERSATION_BYTES = 3_000
"""What a conversation takes beside its messages: mostly the peer, whose picture's address may have 2,048 characters."""


class SyncCursor(msgspec.Struct, frozen=True, kw_only=True):
    """A device has every message up to `seq`, and knows every mutation up to `change`."""

    seq: int
    change: int


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for in one conversation; `only_younger`: of `range`, what was stored since the token."""

    moved: MovedConversation
    range: SeqRange
    only_younger: bool = False
    changed: ChangedRange | None = None
    starts_anew: bool = False

    @property
    def conversation_id(self) -> ConversationId:
        """The conversation."""
        return self.moved.entry.conversation_id


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What of one conversation stands in the answer; `change`: up to which mutation the device then knows all."""

    moved: MovedConversation
    seqs: tuple[Seq, ...]
    changed: tuple[Seq, ...]
    has_more: bool
    change: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, before anything is read of its contents."""

    parts: tuple[Part, ...]
    removed: tuple[ConversationId, ...]
    token: SyncToken
    has_more: bool


def plan_wants(
    moved: Sequence[MovedConversation],
    token: SyncToken,
    cursors: Mapping[ConversationId, SyncCursor],
    limits: SyncLimits,
) -> list[Want]:
    """Say what to look for in each conversation of a page that the member may see."""
    return [
        _want(one, token, cursors.get(one.entry.conversation_id), limits)
        for one in moved[: limits.conversations]
        if not one.is_gone
    ]


def _want(moved: MovedConversation, token: SyncToken, cursor: SyncCursor | None, limits: SyncLimits) -> Want:
    own, conversation_id = moved.entry.own, moved.entry.conversation_id
    floor_seq, last_seq = own.floor_seq, own.last_seq

    def behind(seq: int) -> SeqRange:
        return SeqRange(conversation_id=conversation_id, after_seq=max(seq, floor_seq), last_seq=last_seq)

    is_known = cursor is not None or token.since_ms is not None
    if is_known and moved.cleared_at_ms > (token.since_ms or 0):
        # Whatever the device holds lies below the beginning, or above it and comes again: nothing is left to guess.
        return Want(moved=moved, range=behind(floor_seq), starts_anew=True)
    if cursor is None and token.since_ms is None:
        return Want(moved=moved, range=behind(last_seq - limits.latest))
    if cursor is None:
        return Want(moved=moved, range=behind(floor_seq), only_younger=True)
    is_rest = token.rest is not None and token.rest.conversation_id == conversation_id
    after_change = token.rest.change if token.rest is not None and is_rest else cursor.change
    changed = ChangedRange(
        conversation_id=conversation_id,
        after_change=after_change,
        floor_seq=floor_seq,
        last_seq=min(cursor.seq, last_seq),
    )
    may_have_changed = moved.entry.change > after_change and changed.last_seq > floor_seq
    return Want(moved=moved, range=behind(cursor.seq), changed=changed if may_have_changed else None)


def plan_page(
    moved: Sequence[MovedConversation],
    wants: Sequence[Want],
    measured: Measured,
    token: SyncToken,
    cursors: Mapping[ConversationId, SyncCursor],
    limits: SyncLimits,
    *,
    now_ms: int,
) -> Page:
    """Take conversations in the walk's order as long as they fit; the first one is cut to fit if it is too large alone.

    A list of mutated messages that is cut ends the page: the token goes on with the same conversation behind the last
    of them, also for a device that does not move its cursors.
    """
    wanted = {want.conversation_id: want for want in wants}
    parts: list[Part] = []
    removed: list[ConversationId] = []
    position, rest, left = token.position, None, limits.bytes
    has_more = len(moved) > limits.conversations
    for one in moved[: limits.conversations]:
        conversation_id = one.entry.conversation_id
        want = wanted.get(conversation_id)
        if want is not None:
            part, rest, cost = _part(want, measured, left, limits)
            if cost > left and parts:
                has_more, rest = True, None
                break
            parts.append(part)
            left -= cost
        # To a device without a token only what it names is worth taking back.
        may_be_held = token.since_ms is not None or conversation_id in cursors
        if may_be_held and (want is None or want.starts_anew):
            removed.append(conversation_id)
        if rest is not None:
            has_more = True
            break
        position = one.position
    following = _follow(token, position, rest, now_ms) if has_more else _finish(token, now_ms)
    # Newest first, a long walk does not meet what moved to its front meanwhile: one more page tells of that.
    has_more = has_more or (token.since_ms is None and token.began_ms is not None)
    return Page(parts=tuple(parts), removed=tuple(removed), token=following, has_more=has_more)


def _follow(token: SyncToken, position: WalkPosition | None, rest: Rest | None, now_ms: int) -> SyncToken:
    return SyncToken(since_ms=token.since_ms, began_ms=_began_ms(token, now_ms), position=position, rest=rest)


def _finish(token: SyncToken, now_ms: int) -> SyncToken:
    return SyncToken(since_ms=_began_ms(token, now_ms) - REACH_BACK_MS)


def _began_ms(token: SyncToken, now_ms: int) -> int:
    """Return when the walk began: what moved behind it since then must be within the reach of its last token."""
    return now_ms if token.began_ms is None else token.began_ms


def _part(want: Want, measured: Measured, left: int, limits: SyncLimits) -> tuple[Part, Rest | None, int]:
    """Return a conversation's part, what of its mutated messages is left for the next page, and what it takes uncut.

    Of what is left each of the two lists may have half, and what the other one leaves.
    """
    entry = want.moved.entry
    found = measured.messages.get(want.conversation_id, [])
    # What was stored since the walk read the conversation's state is left to the next one.
    messages = [one for one in found if one.seq <= want.range.last_seq][: limits.messages]
    every_changed = measured.changed.get(want.conversation_id, [])
    changed = every_changed[: limits.messages]
    base = _CONVERSATION_BYTES + _MESSAGE_BYTES + measured.last_bytes.get(want.conversation_id, 0)
    cost = base + _bytes(messages) + _bytes(changed)
    left -= base
    changed = _fitting(changed, left - min(_bytes(messages), left // 2))
    messages = _fitting(messages, left - _bytes(changed))
    rest = None
    if len(changed) < len(every_changed):
        # As of this change, the device knows all: whoever stops here and comes again with its cursors misses nothing.
        rest = Rest(conversation_id=want.conversation_id, change=min(changed[-1].change, entry.change))
    part = Part(
        moved=want.moved,
        seqs=tuple(one.seq for one in messages),
        changed=tuple(one.seq for one in changed),
        has_more=bool(messages) and messages[-1].seq < entry.own.last_seq,
        change=rest.change if rest else entry.change,
    )
    return part, rest, cost


def _bytes(listed: Sequence[MeasuredMessage]) -> int:
    return sum(one.bytes + _MESSAGE_BYTES for one in listed)


def _fitting(listed: list[MeasuredMessage], left: int) -> list[MeasuredMessage]:
    """Return as many as fit, at least one."""
    for number, one in enumerate(listed):
        left -= one.bytes + _MESSAGE_BYTES
        if left < 0 and number > 0:
            return listed[:number]
    return listed
