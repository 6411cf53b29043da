"""The last look before a push is sent: is it unread, where does it go, which badge; and its outcome."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.mysql import Database, Transaction
from gochat_repo.push_log import (
    LoggedPush,
    PushPlace,
    PushResult,
    claim_pushes,
    close_pushes,
    lock_fates,
    save_results,
    why_not_again,
)
from gochat_repo.push_tokens import PushToken, delete_dead_tokens, list_push_tokens

Membership = tuple[ConversationId, UserId]

# What can't be seen is not unread, as in `Participation`; muted conversations don't count.
_SEEN = "GREATEST(p.join_seq - 1, p.cleared_seq, c.expired_seq, p.read_seq, p.sent_seq)"
_BADGES = f"""
SELECT p.user_id, CAST(SUM(IF(c.last_seq > {_SEEN}, c.last_seq - {_SEEN}, 0)) AS UNSIGNED)
  FROM conversation_participants p
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
 WHERE p.user_id IN %s AND p.left_seq IS NULL AND NOT p.muted
 GROUP BY p.user_id"""  # noqa: S608 - constants only

_SEEN_SEQS = f"""
SELECT p.conversation_id, p.user_id, {_SEEN}
  FROM conversation_participants p
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
 WHERE (p.conversation_id, p.user_id) IN %s AND p.left_seq IS NULL"""  # noqa: S608 - constants only

_RECALLED = """
SELECT conversation_id, seq FROM messages
 WHERE (conversation_id, seq) IN %s AND recalled_at_ms IS NOT NULL"""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A push that is about to be sent."""

    place: PushPlace
    task_id: str


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What the last look says: `reason` why it is not sent, or where it goes and with which badge."""

    place: PushPlace
    reason: str = ""
    token: PushToken | None = None
    badge: int = 0


class PushChecks:
    """Looks before sending, and outcomes; everything from the writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recheck(self, pushes: Sequence[Asked], *, now_ms: int) -> list[Ready]:
        """Claim what may be sent now, close what may not, and return both in the order asked. Raises Unavailable.

        Six statements at most, whatever the number. A push that was claimed and of which no outcome came is let
        through once more; then, and once its outcome is known, it is not.
        """

        def work(tx: Transaction) -> list[Ready]:
            fates = lock_fates(tx, [one.place for one in pushes])
            tokens = list_push_tokens(tx, {one.place[0] for one in pushes}, now_ms=now_ms)
            by_device = {(one.user_id, one.device_id): one for held in tokens.values() for one in held}
            seen = _load_seen(tx, {(one.place[2], one.place[0]) for one in pushes})
            recalled = _load_recalled(tx, {(one.place[2], one.place[3]) for one in pushes})
            verdicts: dict[PushPlace, Ready] = {}
            for one in pushes:
                token = by_device.get(one.place[:2])
                reason = why_not_again(one.place, fates) or _why_not_now(one.place, token, seen, recalled)
                verdicts[one.place] = Ready(place=one.place, reason=reason or "", token=None if reason else token)
            badges = _load_badges(tx, {one.place[0] for one in verdicts.values() if one.token is not None})
            self._write(tx, pushes, verdicts, now_ms)
            told = {
                place: msgspec.structs.replace(one, badge=badges.get(place[0], 0)) for place, one in verdicts.items()
            }
            return [told[one.place] for one in pushes]

        return self._database.transaction(work) if pushes else []

    def log_results(self, results: Sequence[PushResult], dead: Collection[PushToken], *, now_ms: int) -> None:
        """Write outcomes, and forget tokens that their provider calls dead. Idempotent; raises Unavailable.

        A token that was registered anew meanwhile is another one and stays.
        """

        def work(tx: Transaction) -> None:
            save_results(tx, results, now_ms=now_ms)
            delete_dead_tokens(tx, dead)

        self._database.transaction(work)

    def _write(
        self, tx: Transaction, pushes: Sequence[Asked], verdicts: Mapping[PushPlace, Ready], now_ms: int
    ) -> None:
        task_ids = {one.place: one.task_id for one in pushes}
        claimed, closed = [], []
        for place, verdict in verdicts.items():
            user_id, device_id, conversation_id, seq = place
            row = LoggedPush(
                user_id=user_id,
                device_id=device_id,
                conversation_id=conversation_id,
                seq=seq,
                task_id=task_ids[place],
                provider=verdict.token.provider if verdict.token else "",
                outcome="sending" if verdict.token else "suppressed",
                reason=verdict.reason,
                now_ms=now_ms,
            )
            if verdict.token is not None:
                claimed.append(row)
            elif verdict.reason == "outcome_unknown":
                closed.append(msgspec.structs.replace(row, outcome="failed"))
            elif verdict.reason != "done":
                closed.append(row)
        if claimed:
            claim_pushes(tx, claimed)
        if closed:
            close_pushes(tx, closed)


def _why_not_now(
    place: PushPlace,
    token: PushToken | None,
    seen: Mapping[Membership, int],
    recalled: Collection[tuple[ConversationId, Seq]],
) -> str | None:
    user_id, _, conversation_id, seq = place
    seen_seq = seen.get((conversation_id, user_id))
    if token is None:
        return "no_token"
    if seen_seq is None:
        return "not_a_member"
    if seen_seq >= seq:
        return "read"
    return "recalled" if (conversation_id, seq) in recalled else None


def _load_seen(tx: Transaction, memberships: Collection[Membership]) -> dict[Membership, int]:
    keys = tuple((bytes.fromhex(conversation_id), user_id) for conversation_id, user_id in sorted(memberships))
    return {(ConversationId(row[0].hex()), row[1]): row[2] for row in tx.query(_SEEN_SEQS, (keys,))}


def _load_recalled(tx: Transaction, places: Collection[tuple[ConversationId, Seq]]) -> set[tuple[ConversationId, Seq]]:
    keys = tuple((bytes.fromhex(conversation_id), seq) for conversation_id, seq in sorted(places))
    return {(ConversationId(row[0].hex()), row[1]) for row in tx.query(_RECALLED, (keys,))}


def _load_badges(tx: Transaction, user_ids: Collection[UserId]) -> dict[UserId, int]:
    if not user_ids:
        return {}
    return {row[0]: int(row[1]) for row in tx.query(_BADGES, (tuple(sorted(user_ids)),))}
