from gochat_contracts.commands import Typing
from gochat_core.errors import ConversationNotFound
from gochat_core.types import Seq, UserId
from gochat_repo.command_context import CommandContext, GroupRules, Member
from logic.commands.ledger import open_ledger
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


def test_in_a_large_group_nobody_is_told_however_many_of_it_act_in_the_batch() -> None:
    for is_large, told in ((True, ()), (False, (BOB,))):
        rules = GroupRules(is_dissolved=False, muted_all=False, is_large=is_large)
        context = CommandContext(members={CHAT: {ALICE: MEMBER, BOB: MEMBER}}, groups={CHAT: rules})
        (outcome,) = plan(open_ledger({}, context), [TYPING])
        assert isinstance(outcome, Show)
        assert outcome.user_ids == told
