"""What a member may say, edit, react to and take back in a group, by role and by what the group lets its members do."""

from itertools import product
from typing import Any

import msgspec
import pytest

from gochat_contracts.commands import AddReaction, Command, EditMessage, RecallMessage, SendMessage, Typing
from gochat_core.errors import Forbidden, GochatError, GroupDissolved, Muted
from gochat_core.types import ClientMsgId, Seq, UserId
from gochat_repo.command_context import GroupRules, Member
from logic.commands.ledger import Ledger
from logic.commands.outcomes import Refuse
from logic.groups.permissions import ON_MEMBER, Action, Role
from tests.unit.logic.ledgers import ALICE, BOB, CAROL, CHAT, MEMBER, NOW_MS, asked, content, ledger_of, plan, target

OPEN = GroupRules(is_dissolved=False, muted_all=False)
MUTED = GroupRules(is_dissolved=False, muted_all=True)
DISSOLVED = GroupRules(is_dissolved=True, muted_all=False)

SAY = SendMessage(conversation_id=CHAT, client_msg_id=ClientMsgId("m1"), type="text", content=content("hi"))
EDIT = EditMessage(conversation_id=CHAT, seq=Seq(2), content=content("better"))
REACT = AddReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍")
TYPE = Typing(conversation_id=CHAT)
SPEAKING: tuple[Command, ...] = (SAY, EDIT, REACT, TYPE)


def member(role: Role | None, **more: Any) -> Member:
    return msgspec.structs.replace(MEMBER, role=None if role is None else role.value, **more)


def group(rules: GroupRules, bob: Member) -> Ledger:
    """Return a group of Alice, who owns it, Bob and Carol; message 2 is Bob's."""
    held: dict[UserId, Member] = {ALICE: member(Role.OWNER), BOB: bob, CAROL: member(Role.MEMBER)}
    return ledger_of(
        target(1),
        target(2, sender_id=BOB),
        target(3, type="system"),
        members=held,
        rules=rules,
        type="group",
        member_count=3,
    )


def refusal(command: Command, ledger: Ledger, by: UserId = BOB) -> type[GochatError] | None:
    """Return what a command is refused with, None when it is carried out."""
    (outcome,) = plan(ledger, [asked(command, by=by)])
    return type(outcome.error) if isinstance(outcome, Refuse) else None


@pytest.mark.parametrize("command", SPEAKING)
def test_in_an_open_group_everybody_speaks(command: Command) -> None:
    assert refusal(command, group(OPEN, member(Role.MEMBER))) is None


@pytest.mark.parametrize("command", SPEAKING)
def test_while_all_are_muted_owner_and_admins_alone_speak(command: Command) -> None:
    refused = {role: refusal(command, group(MUTED, member(role))) for role in Role}
    assert refused == {Role.OWNER: None, Role.ADMIN: None, Role.MEMBER: Muted}


@pytest.mark.parametrize("command", SPEAKING)
def test_a_muted_member_does_not_speak_until_then_whatever_the_role(command: Command) -> None:
    for role in (Role.ADMIN, Role.MEMBER):
        assert refusal(command, group(OPEN, member(role, muted_until_ms=NOW_MS + 1))) is Muted
        # asked() is accepted five milliseconds before NOW_MS: what counts is when the frame came.
        assert refusal(command, group(OPEN, member(role, muted_until_ms=NOW_MS - 5))) is None


@pytest.mark.parametrize("command", SPEAKING)
def test_in_a_dissolved_group_nobody_speaks(command: Command) -> None:
    assert {refusal(command, group(DISSOLVED, member(role))) for role in Role} == {GroupDissolved}


def test_whose_messages_somebody_may_recall_stands_in_the_table() -> None:
    recall = RecallMessage(conversation_id=CHAT, seq=Seq(2))
    for role, author in product(Role, Role):
        ledger = group(OPEN, member(author))
        ledger.chats[CHAT].members[CAROL] = member(role)
        allowed = author in ON_MEMBER[Action.RECALL].get(role, frozenset())
        assert (refusal(recall, ledger, CAROL) is None) is allowed, (role, author)


def test_owner_and_admins_recall_others_messages_however_old_and_former_members_too() -> None:
    recall = RecallMessage(conversation_id=CHAT, seq=Seq(2))
    gone = member(None, left_seq=Seq(3))
    for bob in (member(Role.MEMBER), gone):
        ledger = group(OPEN, bob)
        ledger.targets[(CHAT, Seq(2))] = target(2, sender_id=BOB, created_at_ms=0)
        assert refusal(recall, ledger, ALICE) is None
    ledger = group(OPEN, member(Role.MEMBER))
    ledger.targets[(CHAT, Seq(2))] = target(2, sender_id=BOB, created_at_ms=0)
    assert refusal(recall, ledger, BOB) is Forbidden


def test_what_happened_to_a_group_is_taken_back_by_nobody() -> None:
    recall = RecallMessage(conversation_id=CHAT, seq=Seq(3))
    assert {refusal(recall, group(OPEN, member(Role.ADMIN)), who) for who in (ALICE, BOB, CAROL)} == {Forbidden}
