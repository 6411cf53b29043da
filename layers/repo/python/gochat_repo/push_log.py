"""The push log: what became of each push, and the claim that keeps one from being sent again and again."""

from collections.abc import Collection, Sequence

import msgspec

from gochat_core.types import ConversationId, DeviceId, Seq, UserId
from gochat_repo.mysql import Transaction, values_table

PushPlace = tuple[UserId, DeviceId, ConversationId, Seq]
"""What names a push: the device, and the last message that it tells of."""

MAX_ATTEMPTS_UNKNOWN = 2
"""How often a push is sent whose outcome nobody told: once, and once more."""

_INSERT = (
    "INSERT {ignore} INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason,"
    " attempts, created_at_ms, updated_at_ms) VALUES"
)

MAX_REASON = 64

_RESULT_COLUMNS = ("user_id", "device_id", "conversation_id", "seq", "outcome", "reason", "record", "retry_at_ms")

# The device's id in the column's own letters: without that the index would serve the user alone.
_SAVE_RESULTS = """
UPDATE ({values}) v
  STRAIGHT_JOIN push_log l ON l.user_id = v.user_id
    AND l.device_id = CONVERT(v.device_id USING ascii) COLLATE ascii_bin
    AND l.conversation_id = v.conversation_id AND l.seq = v.seq AND l.outcome = 'sending'
  SET l.outcome = v.outcome, l.reason = v.reason, l.record = v.record, l.retry_at_ms = v.retry_at_ms,
      l.updated_at_ms = %s"""


class LoggedPush(msgspec.Struct, frozen=True, kw_only=True):
    """What is written of one push."""

    user_id: UserId
    device_id: DeviceId
    conversation_id: ConversationId
    seq: Seq
    task_id: str
    provider: str
    outcome: str
    reason: str = ""
    now_ms: int

    @property
    def place(self) -> PushPlace:
        """What names it."""
        return (self.user_id, self.device_id, self.conversation_id, self.seq)


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the log."""

    outcome: str
    reason: str
    attempts: int


class PushResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider said of one push; a deferred one comes with its record and the time to produce it again."""

    place: PushPlace
    outcome: str
    reason: str = ""
    record: str | None = None
    retry_at_ms: int | None = None


def lock_fates(tx: Transaction, places: Sequence[PushPlace]) -> dict[PushPlace, Fate]:
    """Read and lock what stands of these pushes, and of later ones of the same conversation and device."""
    if not places:
        return {}
    where = " OR ".join(["(user_id = %s AND device_id = %s AND conversation_id = %s AND seq >= %s)"] * len(places))
    values = [value for place in sorted(places) for value in _key(place)]
    rows = tx.query(
        "SELECT user_id, device_id, conversation_id, seq, outcome, reason, attempts FROM push_log"  # noqa: S608
        f" WHERE {where} ORDER BY user_id, device_id, conversation_id, seq FOR UPDATE",
        values,
    )
    return {
        (row[0], row[1], ConversationId(row[2].hex()), row[3]): Fate(outcome=row[4], reason=row[5], attempts=row[6])
        for row in rows
    }


def why_not_again(place: PushPlace, fates: dict[PushPlace, Fate]) -> str | None:
    """Return why a push is not sent, as the log stands; None: it may be. Pure.

    A later push of the conversation that was sent shows what this one would show.
    """
    own = fates.get(place)
    if own is not None:
        if own.outcome == "sending" and own.attempts >= MAX_ATTEMPTS_UNKNOWN:
            return "outcome_unknown"
        if own.outcome not in ("sending", "deferred"):
            return "done"
    if any(other[:3] == place[:3] and other[3] > place[3] and fate.outcome == "sent" for other, fate in fates.items()):
        return "superseded"
    return None


def claim_pushes(tx: Transaction, pushes: Collection[LoggedPush]) -> None:
    """Write that these are being sent, and count the attempt."""
    tx.execute_rows(
        _INSERT.format(ignore=""),
        [_row(one, attempts=1) for one in sorted(pushes, key=lambda one: one.place)],
        "ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), provider = VALUES(provider),"
        " attempts = attempts + 1, updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL",
    )


def close_pushes(tx: Transaction, pushes: Collection[LoggedPush]) -> None:
    """Write that these are not sent after all, and why."""
    tx.execute_rows(
        _INSERT.format(ignore=""),
        [_row(one, attempts=0) for one in sorted(pushes, key=lambda one: one.place)],
        "ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason),"
        " updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL",
    )


def log_suppressed(tx: Transaction, pushes: Collection[LoggedPush]) -> None:
    """Write what was decided not to be sent; what stands already stays. Idempotent."""
    tx.execute_rows(
        _INSERT.format(ignore="IGNORE"),
        [_row(one, attempts=0) for one in sorted(pushes, key=lambda one: one.place)],
    )


def save_results(tx: Transaction, results: Sequence[PushResult], *, now_ms: int) -> None:
    """Write what became of claimed pushes, in one statement; what was told first stays. Idempotent."""
    if not results:
        return
    rows = [
        (*_key(one.place), one.outcome, one.reason[:MAX_REASON], one.record, one.retry_at_ms)
        for one in sorted(results, key=lambda one: one.place)
    ]
    statement = _SAVE_RESULTS.format(values=values_table(_RESULT_COLUMNS, len(rows)))
    tx.execute(statement, [*(value for row in rows for value in row), now_ms])


def claim_deferred(tx: Transaction, *, now_ms: int, again_at_ms: int, limit: int) -> list[tuple[UserId, str]]:
    """Return (user, record) of deferred pushes that are due, and put them off, so that no death loses them."""
    rows = tx.query(
        "SELECT user_id, device_id, conversation_id, seq, record FROM push_log"
        " WHERE retry_at_ms <= %s ORDER BY retry_at_ms LIMIT %s FOR UPDATE SKIP LOCKED",
        (now_ms, limit),
    )
    if not rows:
        return []
    tx.execute(
        "UPDATE push_log SET retry_at_ms = %s WHERE (user_id, device_id, conversation_id, seq) IN %s",
        (again_at_ms, tuple(row[:4] for row in rows)),
    )
    return [(row[0], row[4]) for row in rows if row[4] is not None]


def erase_push_log(tx: Transaction, user_id: UserId) -> None:
    """Forget what an account was told that is being erased: what rests holds words of messages. Idempotent."""
    tx.execute("DELETE FROM push_log WHERE user_id = %s", (user_id,))


def delete_old_pushes(tx: Transaction, before_ms: int, limit: int) -> int:
    """Delete what was logged so long ago that nobody asks any more. Idempotent."""
    return tx.execute(
        "DELETE FROM push_log WHERE created_at_ms < %s ORDER BY created_at_ms LIMIT %s", (before_ms, limit)
    )


def _key(place: PushPlace) -> tuple[int, str, bytes, int]:
    user_id, device_id, conversation_id, seq = place
    return (user_id, device_id, bytes.fromhex(conversation_id), seq)


def _row(one: LoggedPush, *, attempts: int) -> tuple[object, ...]:
    told = (one.task_id, one.provider, one.outcome, one.reason, attempts, one.now_ms, one.now_ms)
    return (*_key(one.place), *told)
