from gochat_contracts.commands import Typing
from gochat_core.errors import ConversationNotFound
from gochat_core.types import Seq, UserId
from gochat_repo.command_context import CommandContext, Member
from logic.commands.ledger import LARGE_GROUP, open_ledger
from logic.commands.outcomes import Show
from tests.unit.logic.ledgers import ALICE, BOB, CAROL, CHAT, MEMBER, NOW_MS, asked, error_of, plan

GONE = Member(join_seq=Seq(1), left_seq=Seq(3), is_alive=True)
TYPING = asked(Typing(conversation_id=CHAT))


def watched(members: dict[UserId, Member]) -> CommandContext:
    """What is known of a conversation that isn't locked."""
    return CommandContext(members={CHAT: members})


def test_the_other_members_are_told_for_five_seconds_from_acceptance_on() -> None:
    (outcome,) = plan(open_ledger({}, watched({ALICE: MEMBER, BOB: MEMBER, CAROL: GONE})), [TYPING])
    assert outcome == Show(user_ids=(BOB,), expires_at_ms=NOW_MS - 5 + 5_000)


def test_outsiders_show_nothing() -> None:
    for members in ({}, {BOB: MEMBER}, {ALICE: GONE, BOB: MEMBER}):
        (outcome,) = plan(open_ledger({}, watched(members)), [TYPING])
        assert error_of(outcome) is ConversationNotFound


def test_in_a_large_group_nobody_is_told() -> None:
    crowd = {UserId(number): MEMBER for number in range(1, LARGE_GROUP + 1)}
    (outcome,) = plan(open_ledger({}, watched(crowd)), [TYPING])
    assert isinstance(outcome, Show)
    assert outcome.user_ids == ()
    del crowd[UserId(LARGE_GROUP)]
    (outcome,) = plan(open_ledger({}, watched(crowd)), [TYPING])
    assert isinstance(outcome, Show)
    assert len(outcome.user_ids) == LARGE_GROUP - 2
