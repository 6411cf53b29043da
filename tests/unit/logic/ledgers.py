"""Ledgers and submissions for tests of plans: Alice and Bob with four messages, the second of which is his."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import msgspec

from gochat_contracts.commands import Command
from gochat_contracts.records import Sender
from gochat_core.errors import GochatError
from gochat_core.ids import single_conversation_id
from gochat_core.types import CellId, ConnectionId, ConversationId, DeviceId, Seq, SessionId, UserId
from gochat_repo.command_context import CommandContext, GroupRules, Member, Target
from gochat_repo.conversations import LockedConversation
from gochat_repo.reactions import Reaction, ReactionKey
from gochat_repo.users import User
from logic.commands.ledger import Ledger, open_ledger
from logic.commands.outcomes import Change, Outcome, Refuse
from logic.commands.submission import Submission
from logic.pipeline.plan_commands import plan_commands

ALICE, BOB, CAROL = UserId(1), UserId(2), UserId(3)
CHAT = single_conversation_id(ALICE, BOB)
PHONE, LAPTOP = DeviceId("phone"), DeviceId("laptop")
NOW_MS = 1_795_413_600_000
MEMBER = Member(join_seq=Seq(1), left_seq=None, is_alive=True)
LAST_SEQ = 4


def content(text: str) -> msgspec.Raw:
    """Return a text's content."""
    return msgspec.Raw(msgspec.json.encode({"text": text}))


def asked(
    command: Command,
    *,
    by: UserId = ALICE,
    device: DeviceId = PHONE,
    over_rest: bool = False,
    at_ms: int = NOW_MS - 5,
) -> Submission:
    """Return a command with who gave it."""
    return Submission(
        sender=Sender(
            user_id=by,
            device_id=device,
            session_id=SessionId(7),
            connection_id=None if over_rest else ConnectionId("c="),
            cell_id=CellId("g1"),
        ),
        command=command,
        accepted_at_ms=at_ms,
        frame_id=None if over_rest else "f1",
        trace="Root=1",
    )


def target(seq: int = 1, **changed: Any) -> Target:
    """Return a stored message of Alice's, a minute old."""
    values: dict[str, Any] = {
        "conversation_id": CHAT,
        "seq": Seq(seq),
        "sender_id": ALICE,
        "type": "text",
        "created_at_ms": NOW_MS - 60_000,
        "content": bytes(content(f"text {seq}")),
    }
    return Target(**(values | changed))


def ledger_of(
    *targets: Target,
    members: dict[UserId, Member] | None = None,
    reacted: set[ReactionKey] | None = None,
    rules: GroupRules | None = None,
    **locked: Any,
) -> Ledger:
    """Return the state before a batch; `locked` says what is different about the conversation."""
    values: dict[str, Any] = {"conversation_id": CHAT, "type": "single", "last_seq": Seq(LAST_SEQ), "change": 10}
    given = targets or (target(1), target(2, sender_id=BOB), target(3), target(4))
    return open_ledger(
        {CHAT: LockedConversation(**(values | locked))},
        CommandContext(
            members={CHAT: {ALICE: MEMBER, BOB: MEMBER} if members is None else members},
            targets={(one.conversation_id, one.seq): one for one in given},
            reacted=reacted or set(),
            groups={} if rules is None else {CHAT: rules},
            newcomers={user_id: person(user_id) for user_id in (ALICE, BOB, CAROL)},
        ),
    )


def person(user_id: UserId) -> User:
    """Return a profile."""
    return User(
        user_id=user_id, username=f"user{user_id}", display_name=f"User {user_id}", avatar_url=None, created_at_ms=1
    )


def key(emoji: str, user_id: UserId, seq: int = 1) -> ReactionKey:
    """Name a reaction."""
    return (CHAT, Seq(seq), emoji, user_id)


def reaction(emoji: str, *user_ids: UserId, count: int | None = None) -> Reaction:
    """Return one line of a summary."""
    return Reaction(emoji, len(user_ids) if count is None else count, user_ids)


def plan(
    ledger: Ledger, submissions: Sequence[Submission], *, next_id: Callable[[], int] | None = None
) -> list[Outcome]:
    """Decide about a batch."""
    return plan_commands(submissions, ledger, next_id=next_id or count(100).__next__, now_ms=NOW_MS)


def changed(outcome: Outcome) -> Change:
    """Return an outcome that must be a change."""
    assert isinstance(outcome, Change), outcome
    return outcome


def error_of(outcome: Outcome) -> type[GochatError]:
    """Return what a refusal says."""
    assert isinstance(outcome, Refuse), outcome
    return type(outcome.error)


def elsewhere() -> ConversationId:
    """Name a conversation that there isn't."""
    return ConversationId("ab" * 16)
