"""The state that a batch is decided over: what the stores know, carried on by every outcome."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import msgspec

from gochat_core.types import ConversationId, DeviceId, Seq, UserId
from gochat_repo.command_context import CommandContext, GroupRules, KnownMessage, Member, MessageKey, Place, Target
from gochat_repo.conversations import LockedConversation
from gochat_repo.messages import StoredMessage
from gochat_repo.reactions import ReactionKey, ReactionRow
from gochat_repo.users import User
from logic.commands.outcomes import Change, Mark, Outcome, Store
from logic.commands.submission import Submission


@dataclass(slots=True)
class Chat:
    """A conversation as the batch has left it so far, and what it did to it.

    With `is_large` it has too many members to know, tell or touch them all here: `members` are those who act.
    """

    conversation_id: ConversationId
    type: str
    member_count: int
    last_seq: int = 0
    change: int = 0
    expired_seq: int = 0
    members: dict[UserId, Member] = field(default_factory=dict)
    is_large: bool = False
    members_version: int = 0
    is_new: bool = False
    has_news: bool = False
    has_changes: bool = False
    movers: set[UserId] = field(default_factory=set)
    """Who did any of it: nothing is to be written of a chat without one."""

    def present(self) -> tuple[UserId, ...]:
        """Name those who are members now."""
        return tuple(user_id for user_id, held in self.members.items() if held.left_seq is None)

    def witnesses(self, seq: Seq) -> tuple[UserId, ...]:
        """Name the members who may hear of what happens to this message: those who joined before it."""
        return tuple(
            user_id for user_id, held in self.members.items() if held.left_seq is None and held.join_seq <= seq
        )


@dataclass(slots=True)
class Progress:
    """How far a member had come before the batch, and which devices told."""

    before: Member
    devices: set[DeviceId] = field(default_factory=set)


@dataclass(slots=True)
class Ledger:
    """Plans read it, `note` alone writes it."""

    chats: dict[ConversationId, Chat] = field(default_factory=dict)
    watched: Mapping[ConversationId, Mapping[UserId, Member]] = field(default_factory=dict)
    known: dict[MessageKey, KnownMessage] = field(default_factory=dict)
    people: Mapping[UserId, User] = field(default_factory=dict)
    targets: dict[Place, Target] = field(default_factory=dict)
    reacted: set[ReactionKey] = field(default_factory=set)
    fresh: dict[Place, StoredMessage] = field(default_factory=dict)
    changed: dict[Place, Target] = field(default_factory=dict)
    reaction_rows: dict[ReactionKey, ReactionRow] = field(default_factory=dict)
    progress: dict[tuple[ConversationId, UserId], Progress] = field(default_factory=dict)
    blockers: Mapping[ConversationId, Collection[UserId]] = field(default_factory=dict)
    befriended: Collection[ConversationId] | None = None
    groups: Mapping[ConversationId, GroupRules] = field(default_factory=dict)

    def target(self, place: Place) -> Target | None:
        """Return the message at this place as the batch has left it so far; None if there is none."""
        held = self.targets.get(place)
        if held is None and (message := self.fresh.get(place)) is not None:
            held = _target_of(message)
        return held

    def message(self, place: Place) -> StoredMessage:
        """Return a message of this batch as the batch has left it so far."""
        message, target = self.fresh[place], self.changed.get(place)
        return message if target is None else _as_changed(message, target)

    def note(self, submission: Submission, outcome: Outcome) -> None:
        """Carry the state on."""
        if isinstance(outcome, Store):
            self._note_store(outcome)
        elif isinstance(outcome, Change):
            self._note_change(submission, outcome)
        elif isinstance(outcome, Mark) and outcome.moved:
            self._note_mark(submission, outcome)

    def _note_store(self, store: Store) -> None:
        message = store.message
        if store.opens is not None:
            newcomer = Member(join_seq=Seq(1), left_seq=None, is_alive=True)
            self.chats[message.conversation_id] = Chat(
                conversation_id=message.conversation_id,
                type="single",
                member_count=len(store.opens.members),
                members=dict.fromkeys(store.opens.members, newcomer),
                is_new=True,
            )
        chat = self.chats[message.conversation_id]
        chat.last_seq, chat.has_news = message.seq, True
        chat.movers.add(message.sender_id)
        chat.members[message.sender_id] = msgspec.structs.replace(chat.members[message.sender_id], sent_seq=message.seq)
        self.fresh[(message.conversation_id, message.seq)] = message
        self.known[(message.conversation_id, message.sender_id, message.client_msg_id)] = KnownMessage(
            seq=message.seq,
            message_id=message.message_id,
            content_hash=message.content_hash,
            created_at_ms=message.created_at_ms,
            announced=True,  # by this very batch
        )

    def _note_change(self, submission: Submission, change: Change) -> None:
        target, place = change.target, (change.target.conversation_id, change.target.seq)
        chat = self.chats[target.conversation_id]
        chat.change, chat.has_changes = target.change, True
        chat.movers.add(submission.sender.user_id)
        self.targets[place] = self.changed[place] = target
        if target.recalled_at_ms is not None:
            # Rows that stand in the store are taken back with the message; these never get there.
            self.reaction_rows = {key: row for key, row in self.reaction_rows.items() if key[:2] != place}
        if change.reaction is not None:
            row = change.reaction
            key = (row.conversation_id, row.seq, row.emoji, row.user_id)
            self.reaction_rows[key] = row
            (self.reacted.discard if row.is_removed else self.reacted.add)(key)

    def _note_mark(self, submission: Submission, mark: Mark) -> None:
        user_id, chat = submission.sender.user_id, self.chats[submission.conversation_id]
        progress = self.progress.setdefault((chat.conversation_id, user_id), Progress(before=chat.members[user_id]))
        progress.devices.add(submission.sender.device_id)
        chat.members[user_id] = mark.member
        chat.movers.add(user_id)


def open_ledger(locked: Mapping[ConversationId, LockedConversation], context: CommandContext) -> Ledger:
    """Return the state before the first command of a batch."""
    return Ledger(
        chats={
            conversation_id: Chat(
                conversation_id=conversation_id,
                type=one.type,
                member_count=one.member_count,
                last_seq=one.last_seq,
                change=one.change,
                expired_seq=one.expired_seq,
                members=dict(context.members.get(conversation_id, {})),
                is_large=one.is_large,
                members_version=one.members_version,
            )
            for conversation_id, one in locked.items()
        },
        watched=context.members,
        known=dict(context.known),
        people=context.newcomers,
        targets=dict(context.targets),
        reacted=set(context.reacted),
        blockers=context.blockers,
        befriended=context.befriended,
        groups=context.groups,
    )


def _target_of(message: StoredMessage) -> Target:
    return Target(
        conversation_id=message.conversation_id,
        seq=message.seq,
        sender_id=message.sender_id,
        type=message.type,
        created_at_ms=message.created_at_ms,
        content=message.content,
    )


def _as_changed(message: StoredMessage, target: Target) -> StoredMessage:
    return msgspec.structs.replace(
        message,
        content=message.content if target.content is None else target.content,
        mentions=message.mentions if target.recalled_at_ms is None else (),
        edited_at_ms=target.edited_at_ms,
        recalled_at_ms=target.recalled_at_ms,
        change=target.change,
        reactions=target.reactions,
    )
