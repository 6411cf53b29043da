"""What a device that was away has to read: which conversations moved, what lies behind its cursors, how large it is."""

from collections.abc import Collection, Sequence

import msgspec

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.conversation_entries import (
    ENTRY_COLUMN_COUNT,
    ENTRY_COLUMNS,
    ENTRY_JOINS,
    FRONT,
    ConversationEntry,
    entry_from_row,
)
from gochat_repo.messages import MESSAGE_COLUMNS, StoredMessage, message_from_row
from gochat_repo.mysql import Row, Transaction

WalkPosition = tuple[int, ConversationId]
"""When a conversation moved, in milliseconds, and its id: where a walk over a member's conversations stands."""


class MovedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation on a walk; its entry comes without the last message, which is read once its size is known."""

    position: WalkPosition
    entry: ConversationEntry
    has_left: bool
    cleared_at_ms: int

    @property
    def is_gone(self) -> bool:
        """Whether the member is not to see it: left, or hidden until the next message."""
        return self.has_left or self.entry.is_hidden


class SeqRange(msgspec.Struct, frozen=True, kw_only=True):
    """Messages behind `after_seq`, up to and with `last_seq`."""

    conversation_id: ConversationId
    after_seq: int
    last_seq: int


class ChangedRange(msgspec.Struct, frozen=True, kw_only=True):
    """Messages behind `floor_seq`, up to and with `last_seq`, that were mutated after `after_change`."""

    conversation_id: ConversationId
    after_change: int
    floor_seq: int
    last_seq: int


class MeasuredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message's key and how many bytes its variable columns have."""

    seq: Seq
    change: int
    bytes: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What `measure` found: messages by seq, mutated ones by change, and the last messages' bytes."""

    messages: dict[ConversationId, list[MeasuredMessage]]
    changed: dict[ConversationId, list[MeasuredMessage]]
    last_bytes: dict[ConversationId, int]


_MOVED_COLUMNS = f"{ENTRY_COLUMNS}, p.left_seq IS NOT NULL, p.cleared_at_ms"

# A small conversation stands at the later of its member's two times. Each branch reads its index from the position on,
# and leaves to the other branch what moved later there. Where a large one stands, its own row says: each one that the
# member has is looked at.
_MOVED_AFTER = f"""
SELECT {_MOVED_COLUMNS}, k.moved_at_ms
  FROM (
    (SELECT conversation_id, activity_at_ms AS moved_at_ms
       FROM conversation_participants FORCE INDEX (participants_activity)
      WHERE user_id = %s AND activity_at_ms >= %s AND (activity_at_ms > %s OR conversation_id > %s)
        AND activity_at_ms >= changed_at_ms AND is_large = FALSE
      ORDER BY activity_at_ms, conversation_id LIMIT %s)
    UNION ALL
    (SELECT conversation_id, changed_at_ms AS moved_at_ms
       FROM conversation_participants FORCE INDEX (participants_changed)
      WHERE user_id = %s AND changed_at_ms >= %s AND (changed_at_ms > %s OR conversation_id > %s)
        AND changed_at_ms > activity_at_ms AND is_large = FALSE
      ORDER BY changed_at_ms, conversation_id LIMIT %s)
    UNION ALL
    (SELECT conversation_id, moved_at_ms
       FROM (
         SELECT p.conversation_id, GREATEST(c.updated_at_ms, p.activity_at_ms, p.changed_at_ms) AS moved_at_ms
           FROM conversation_participants p FORCE INDEX (participants_large)
           STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
          WHERE p.user_id = %s AND p.is_large = TRUE
       ) l
      WHERE moved_at_ms >= %s AND (moved_at_ms > %s OR conversation_id > %s)
      ORDER BY moved_at_ms, conversation_id LIMIT %s)
    ORDER BY moved_at_ms, conversation_id LIMIT %s
  ) k
  STRAIGHT_JOIN conversation_participants p ON p.conversation_id = k.conversation_id AND p.user_id = %s {ENTRY_JOINS}
 ORDER BY k.moved_at_ms, p.conversation_id
"""  # noqa: S608 - constants only

_NEWEST_FIRST = f"""
SELECT {_MOVED_COLUMNS}, k.active_at_ms
  FROM (
    (SELECT conversation_id, activity_at_ms AS active_at_ms
       FROM conversation_participants FORCE INDEX (participants_activity)
      WHERE user_id = %s AND activity_at_ms <= %s AND (activity_at_ms < %s OR conversation_id < %s)
        AND is_large = FALSE
      ORDER BY activity_at_ms DESC, conversation_id DESC LIMIT %s)
    UNION ALL
    (SELECT p.conversation_id, c.activity_at_ms AS active_at_ms
       FROM conversation_participants p FORCE INDEX (participants_large)
       STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
      WHERE p.user_id = %s AND c.activity_at_ms <= %s AND (c.activity_at_ms < %s OR p.conversation_id < %s)
        AND p.is_large = TRUE
      ORDER BY c.activity_at_ms DESC, p.conversation_id DESC LIMIT %s)
    ORDER BY active_at_ms DESC, conversation_id DESC LIMIT %s
  ) k
  STRAIGHT_JOIN conversation_participants p ON p.conversation_id = k.conversation_id AND p.user_id = %s {ENTRY_JOINS}
 ORDER BY k.active_at_ms DESC, p.conversation_id DESC
"""  # noqa: S608 - constants only


_BYTES = "LENGTH(m.content) + IFNULL(LENGTH(m.mentions), 0) + IFNULL(LENGTH(m.reactions), 0)"
_MESSAGE, _CHANGED, _LAST_MESSAGE = 1, 2, 3
_KEYS = f"m.conversation_id, m.seq, m.last_change, {_BYTES}"

_RANGE = f"(SELECT 1, {_KEYS} FROM messages m WHERE m.conversation_id = %s AND m.seq > %s AND m.seq <= %s)"  # noqa: S608
_MUTATED = (
    f"(SELECT 2, {_KEYS} FROM messages m FORCE INDEX (messages_change)"  # noqa: S608
    " WHERE m.conversation_id = %s AND m.last_change > %s AND m.seq > %s AND m.seq <= %s"
    " ORDER BY m.last_change LIMIT %s)"
)
_LATEST = f"(SELECT 3, {_KEYS} FROM messages m WHERE (m.conversation_id, m.seq) IN %s)"  # noqa: S608

_SELECT_MESSAGES = f"SELECT {MESSAGE_COLUMNS} FROM messages m WHERE "  # noqa: S608 - constant
_RANGE_MESSAGES = f"({_SELECT_MESSAGES} m.conversation_id = %s AND m.seq > %s AND m.seq <= %s)"
_PLACED_MESSAGES = f"({_SELECT_MESSAGES} (m.conversation_id, m.seq) IN %s)"

# Seqs have no gaps and times grow with them (but for clocks that differ by less than a token reaches back), so the
# first message since a time is found by halving: some 20 probes by primary key where a conversation has a million.
_SEARCH = """
WITH RECURSIVE search (conversation_id, low, high, stop) AS (
  {seeds}
  UNION ALL
  SELECT s.conversation_id, IF(m.created_at_ms > %s, s.low, m.seq + 1), IF(m.created_at_ms > %s, m.seq, s.high), s.stop
    FROM search s STRAIGHT_JOIN messages m ON m.conversation_id = s.conversation_id AND m.seq = (s.low + s.high) DIV 2
   WHERE s.low < s.high
), younger (conversation_id, seq, stop) AS (
  SELECT conversation_id, low, LEAST(stop, low + %s) FROM search WHERE low >= high AND low < stop
  UNION ALL
  SELECT conversation_id, seq + 1, stop FROM younger WHERE seq + 1 < stop
)
"""
_SEED = "SELECT CAST(%s AS BINARY(16)), CAST(%s AS UNSIGNED), CAST(%s AS UNSIGNED), CAST(%s AS UNSIGNED)"
_FOUND = f"""
(SELECT 1, {_KEYS} FROM younger y
   STRAIGHT_JOIN messages m ON m.conversation_id = y.conversation_id AND m.seq = y.seq)
"""  # noqa: S608 - constants only


def list_moved_after(
    tx: Transaction, user_id: UserId, position: WalkPosition, *, limit: int
) -> list[MovedConversation]:
    """Read the member's conversations, left and hidden ones too, that moved behind a position: the oldest move first.

    A conversation that moves meanwhile goes to the end, where the walk is still to come. Costs what moved, and a row
    for each large group of the member's.
    """
    moved_at_ms, conversation_id = position
    start = (user_id, moved_at_ms, moved_at_ms, bytes.fromhex(conversation_id), limit)
    return [_moved(row) for row in tx.query(_MOVED_AFTER, (*start, *start, *start, limit, user_id))]


def list_newest_first(
    tx: Transaction, user_id: UserId, position: WalkPosition | None, *, limit: int
) -> list[MovedConversation]:
    """Read the member's conversations, left and hidden ones too, from the newest activity down.

    What becomes active meanwhile is not met again: it is to be asked for by `list_moved_after` the walk's beginning.
    """
    active_at_ms, before = position or FRONT
    behind = (user_id, active_at_ms, active_at_ms, bytes.fromhex(before), limit)
    rows = tx.query(_NEWEST_FIRST, (*behind, *behind, limit, user_id))
    return [_moved(row) for row in rows]


def start_of(since_ms: int) -> WalkPosition:
    """Return the position behind which everything moved after `since_ms`."""
    return since_ms, FRONT[1]


def measure(
    tx: Transaction,
    *,
    ranges: Sequence[SeqRange],
    younger: Sequence[SeqRange],
    than_ms: int,
    changed: Sequence[ChangedRange],
    last: Collection[tuple[ConversationId, Seq]],
    limit: int,
) -> Measured:
    """Read the keys and sizes of messages, in one statement, none of their contents.

    `ranges` are to be short. Of each range of `younger` come the first `limit` messages that were stored after
    `than_ms`, of each of `changed` the first `limit` and one, by change.
    """
    branches: list[str] = []
    params: list[object] = []
    if younger:
        params += [value for one in younger for value in _seed(one)]
        params += [than_ms, than_ms, limit]
        branches.append(_FOUND)
    for known in ranges:
        branches.append(_RANGE)
        params += [bytes.fromhex(known.conversation_id), known.after_seq, known.last_seq]
    for one in changed:
        branches.append(_MUTATED)
        params += [bytes.fromhex(one.conversation_id), one.after_change, one.floor_seq, one.last_seq, limit + 1]
    if last:
        branches.append(_LATEST)
        params.append(tuple((bytes.fromhex(conversation_id), seq) for conversation_id, seq in last))
    head = _SEARCH.replace("{seeds}", " UNION ALL ".join([_SEED] * len(younger))) if younger else ""
    return _measured(tx.query(head + " UNION ALL ".join(branches), params) if branches else [])


def load_messages(
    tx: Transaction, *, ranges: Sequence[SeqRange], places: Collection[tuple[ConversationId, Seq]]
) -> dict[tuple[ConversationId, Seq], StoredMessage]:
    """Read messages by ranges and by places, in one statement, as they are now."""
    branches = [_RANGE_MESSAGES] * len(ranges)
    params: list[object] = [
        value for one in ranges for value in (bytes.fromhex(one.conversation_id), one.after_seq, one.last_seq)
    ]
    if places:
        branches.append(_PLACED_MESSAGES)
        params.append(tuple((bytes.fromhex(conversation_id), seq) for conversation_id, seq in places))
    if not branches:
        return {}
    messages = map(message_from_row, tx.query(" UNION ALL ".join(branches), params))
    return {(message.conversation_id, message.seq): message for message in messages}


def _seed(one: SeqRange) -> tuple[bytes, int, int, int]:
    return bytes.fromhex(one.conversation_id), one.after_seq + 1, one.last_seq + 1, one.last_seq + 1


def _moved(row: Row) -> MovedConversation:
    has_left, cleared_at_ms, moved_at_ms = row[ENTRY_COLUMN_COUNT:]
    entry = entry_from_row(row, None)
    return MovedConversation(
        position=(moved_at_ms, entry.conversation_id),
        entry=entry,
        has_left=bool(has_left),
        cleared_at_ms=cleared_at_ms,
    )


def _measured(rows: Collection[Row]) -> Measured:
    found = Measured(messages={}, changed={}, last_bytes={})
    for kind, conversation, seq, change, size in rows:
        conversation_id = ConversationId(conversation.hex())
        if kind == _LAST_MESSAGE:
            found.last_bytes[conversation_id] = int(size)
            continue
        one = MeasuredMessage(seq=Seq(int(seq)), change=int(change), bytes=int(size))
        (found.messages if kind == _MESSAGE else found.changed).setdefault(conversation_id, []).append(one)
    for listed in found.messages.values():
        listed.sort(key=lambda one: one.seq)
    for listed in found.changed.values():
        listed.sort(key=lambda one: one.change)
    return found
