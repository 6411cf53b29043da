"""The only doors to a conversation and its messages: who may see them, and as what."""

from gochat_core.errors import ConversationNotFound, GroupDissolved, MessageNotFound, Muted
from gochat_core.types import Seq, UserId
from gochat_repo.command_context import GroupRules, Member, Target
from gochat_repo.participants import Participation
from logic.commands.ledger import Chat, Ledger
from logic.commands.submission import Submission
from logic.contacts.may_contact import check_may_contact
from logic.groups.permissions import ON_GROUP, Action, Role


def access_conversation(ledger: Ledger, submission: Submission) -> tuple[Chat, Member]:
    """Return the conversation and the sender's membership; an outsider can't tell it from one that isn't there."""
    chat = ledger.chats.get(submission.conversation_id)
    own = None if chat is None else chat.members.get(submission.sender.user_id)
    if chat is None or own is None or own.left_seq is not None:
        raise ConversationNotFound
    return chat, own


def access_message(ledger: Ledger, submission: Submission, seq: Seq) -> tuple[Chat, Target]:
    """Return the conversation and the message that its member may see at this seq; raises `MessageNotFound`."""
    chat, own = access_conversation(ledger, submission)
    target = ledger.target((chat.conversation_id, seq))
    if target is None or not participation(chat, own).floor_seq < seq <= chat.last_seq:
        raise MessageNotFound
    return chat, target


def check_may_write(ledger: Ledger, submission: Submission, *, chat_type: str = "single") -> None:
    """Raise what forbids the sender to say anything new, to the other one of a single chat or in a group."""
    if chat_type == "single":
        conversation_id, user_id = submission.conversation_id, submission.sender.user_id
        check_may_contact(
            is_blocked=any(one != user_id for one in ledger.blockers.get(conversation_id, ())),
            are_friends=ledger.befriended is None or conversation_id in ledger.befriended,
        )
        return
    own = ledger.chats[submission.conversation_id].members[submission.sender.user_id]
    rules = ledger.groups.get(submission.conversation_id)
    if rules is not None:
        check_may_speak(own, rules, at_ms=submission.accepted_at_ms)


def check_may_speak(own: Member, rules: GroupRules, *, at_ms: int) -> None:
    """Raise what forbids a group's member to say something: `GroupDissolved`, `Muted`.

    What counts is when the frame was accepted, so that a message is decided alike however late it is.
    """
    if rules.is_dissolved:
        raise GroupDissolved
    may_always = Role(own.role or Role.MEMBER) in ON_GROUP[Action.SPEAK_WHILE_ALL_ARE_MUTED]
    if own.muted_until_ms > at_ms or (rules.muted_all and not may_always):
        raise Muted


def participation(chat: Chat, own: Member) -> Participation:
    """Return a member's cursors beside the conversation's."""
    return Participation(
        last_seq=Seq(chat.last_seq),
        join_seq=own.join_seq,
        read_seq=own.read_seq,
        sent_seq=own.sent_seq,
        cleared_seq=own.cleared_seq,
        expired_seq=chat.expired_seq,
    )


def others(chat_members: tuple[UserId, ...], user_id: UserId) -> tuple[UserId, ...]:
    """Name the members but this one."""
    return tuple(one for one in chat_members if one != user_id)
