"""Decides whether somebody who is away is told of a message, and how loudly."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gochat_contracts.records import PUSH_LIFETIME_MS
from gochat_core.types import UserId
from gochat_repo.messages import StoredMessage
from gochat_repo.push_facts import PushFacts
from gochat_repo.push_preferences import PushPreferences

ALL = "all"
"""What a message mentions that mentions everybody (protocol, `message.send`)."""

Kind = Literal["alert", "silent", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """`alert` sounds, `silent` shows without a sound, `none` is not sent; `reason` says why it does not sound."""

    kind: Kind
    reason: str = ""


def decide_push(
    message: StoredMessage, user_id: UserId, facts: PushFacts | None, *, now_ms: int, in_storm: bool = False
) -> Decision:
    """Return what becomes of one message for one user without a connection. Pure.

    `facts` None: no device of the user can be told. `in_storm`: another push of the conversation sounded a moment ago.
    """
    if facts is None or not facts.devices:
        return Decision(kind="none", reason="no_token")
    if message.created_at_ms + PUSH_LIFETIME_MS <= now_ms:
        return Decision(kind="none", reason="expired")
    if (reason := _why_not(message, user_id, facts)) is not None:
        return Decision(kind="none", reason=reason)
    if is_quiet(facts.preferences, now_ms=now_ms):
        return Decision(kind="silent", reason="quiet_hours")
    if in_storm:
        return Decision(kind="silent", reason="storm")
    return Decision(kind="alert")


def is_quiet(preferences: PushPreferences, *, now_ms: int) -> bool:
    """Tell whether it is quiet hours on the user's clock: from their first minute up to, and without, their last."""
    if preferences.quiet_hours is None:
        return False
    try:
        zone = ZoneInfo(preferences.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        # A zone that was taken out of the database since: better a sound than a guess.
        return False
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    minute = local.hour * 60 + local.minute
    start, end = preferences.quiet_hours
    return start <= minute < end if start < end else minute >= start or minute < end


def _why_not(message: StoredMessage, user_id: UserId, facts: PushFacts) -> str | None:
    is_member = facts.join_seq <= message.seq and (facts.left_seq is None or facts.left_seq > message.seq)
    is_mentioned = ALL in message.mentions or str(user_id) in message.mentions
    refusals = (
        (message.sender_id == user_id, "own_message"),
        (message.type == "system", "system_message"),
        (not is_member, "not_a_member"),
        (message.recalled_at_ms is not None, "recalled"),
        (facts.has_blocked, "blocked"),
        (facts.seen_seq >= message.seq, "read"),
        (facts.is_muted and not is_mentioned, "muted"),
    )
    return next((reason for applies, reason in refusals if applies), None)
