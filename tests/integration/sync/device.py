"""A device that keeps what /sync tells it, by the rules of docs/api/openapi.yaml and nothing else."""

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

from gochat_contracts.commands import (
    AddReaction,
    Command,
    EditMessage,
    MarkRead,
    RecallMessage,
    RemoveReaction,
    SendMessage,
)
from gochat_contracts.records import Sender
from gochat_contracts.views import MessageView
from gochat_core.ids import IdMaker
from gochat_core.types import ClientMsgId, ConversationId, DeviceId, GroupId, Seq, SessionId, UserId
from gochat_repo.conversation_entries import ConversationEntry
from gochat_repo.groups import Group
from gochat_repo.message_view import view_message
from gochat_repo.messages import StoredMessage
from gochat_repo.mysql import Database
from logic.announce.announcer import Announcer
from logic.commands.outcomes import Outcome
from logic.commands.submission import Submission
from logic.conversations.hide_conversation import hide_conversation
from logic.conversations.ports import ConversationPorts
from logic.groups.add_group_members import add_group_members
from logic.groups.create_group import NewGroup, create_group
from logic.groups.invitees import read_invitees
from logic.groups.ports import GroupPorts
from logic.groups.remove_group_member import remove_group_member
from logic.messages.list_messages import list_messages
from logic.sync.plan_sync import LIMITS, SyncCursor, SyncLimits
from logic.sync.sync_conversations import SyncAnswer, SyncedConversation, sync_conversations
from tests.fakes.producer import InMemoryProducer
from tests.integration.messages.stage import Door

History = dict[int, MessageView]


@dataclass(kw_only=True)
class Device:
    """What one device holds: messages by conversation and seq, its cursors, and its token."""

    door: Door
    user_id: UserId
    limits: SyncLimits = LIMITS
    token: str | None = None
    is_on_walk: bool = False
    cursors: dict[ConversationId, SyncCursor] = field(default_factory=dict)
    held: dict[ConversationId, History] = field(default_factory=dict)
    entries: dict[ConversationId, ConversationEntry] = field(default_factory=dict)

    def ask(
        self,
        *,
        named: Collection[ConversationId] | None = None,
        token: str | None = None,
        database: Database | None = None,
    ) -> SyncAnswer:
        """Send one POST /sync with the named cursors, all unless given, and return the answer as it is."""
        return sync_conversations(
            database or self.door.database,
            self.door.clock,
            self.user_id,
            token=token or self.token,
            cursors=self.cursors if named is None else {one: self.cursors[one] for one in named},
            limits=self.limits,
        )

    def step(self, *, named: Collection[ConversationId] | None = None, database: Database | None = None) -> bool:
        """Get and keep one page; returns whether there is more.

        A device that names some of its cursors asks again for what it holds and finds changed.
        """
        asked = None if named is None else {one for one in named if one in self.cursors}
        while True:
            answer = self.ask(named=asked, database=database)
            told = {one.entry.conversation_id for one in answer.conversations}
            if asked is None or not (missed := (told & set(self.cursors)) - asked - set(answer.removed)):
                break
            asked |= missed
        self.apply(answer)
        self.is_on_walk = answer.has_more
        return answer.has_more

    def sync(self, *, named: Collection[ConversationId] | None = None) -> int:
        """Catch up: every page, and the rest of every conversation; returns how many pages it took."""
        pages = 1
        while self.step(named=named):
            pages += 1
            assert pages < 1_000, "the walk ends"
        return pages

    def apply(self, answer: SyncAnswer) -> None:
        """Keep what one answer tells."""
        for conversation_id in answer.removed:
            for kept in (self.held, self.cursors, self.entries):
                kept.pop(conversation_id, None)
        for told in answer.conversations:
            self._apply_conversation(told, answer)
        self.token = answer.token

    def _apply_conversation(self, told: SyncedConversation, answer: SyncAnswer) -> None:
        conversation_id = told.entry.conversation_id
        self.entries[conversation_id] = told.entry
        held = self.held.get(conversation_id, {})
        # What was mutated below what the device holds is none of its business until it scrolls there.
        self._keep(conversation_id, (*told.messages, *(one for one in told.changed if one.seq in held)), answer)
        before = self.cursors.get(conversation_id)
        if told.messages:
            assert [one.seq for one in told.messages] == list(range(told.messages[0].seq, told.messages[-1].seq + 1))
            seq: int = told.messages[-1].seq
        else:
            seq = before.seq if before is not None else told.entry.own.last_seq
        has_more = told.has_more
        while has_more:
            page = list_messages(
                self.door.database, self.user_id, conversation_id, before_seq=None, after_seq=seq, limit=100
            )
            self._keep(conversation_id, page.messages, answer)
            seq, has_more = (page.messages[-1].seq if page.messages else seq), page.has_more
        self.cursors[conversation_id] = SyncCursor(seq=seq, change=told.entry.change)

    def scroll_up(self, conversation_id: ConversationId) -> None:
        """Read the history upwards to its beginning, as far as it isn't held."""
        has_more = True
        while has_more:
            held = self.held.get(conversation_id, {})
            before_seq = min(held) if held else self.cursors[conversation_id].seq + 1
            page = list_messages(
                self.door.database, self.user_id, conversation_id, before_seq=before_seq, after_seq=None, limit=100
            )
            self._keep(conversation_id, page.messages, None)
            has_more = page.has_more

    def _keep(
        self, conversation_id: ConversationId, messages: tuple[StoredMessage, ...], answer: SyncAnswer | None
    ) -> None:
        held = self.held.setdefault(conversation_id, {})
        for message in messages:
            before = held.get(message.seq)
            if before is None or before.change <= message.change:
                held[message.seq] = view_message(message, self.user_id, answer.unlisted if answer else ())


def history(door: Door, user_id: UserId, conversation_id: ConversationId) -> History:
    """Return all that a member may see of a conversation, from the server."""
    found: History = {}
    after_seq, has_more = 0, True
    while has_more:
        page = list_messages(door.database, user_id, conversation_id, before_seq=None, after_seq=after_seq, limit=100)
        found |= {message.seq: view_message(message, user_id, page.unlisted) for message in page.messages}
        after_seq, has_more = max(found, default=0), page.has_more
    return found


@dataclass(kw_only=True)
class Person:
    """Somebody who acts, through one door."""

    door: Door
    user_id: UserId

    def do(self, command: Command) -> Outcome:
        """Carry out one command."""
        submission = Submission(
            sender=Sender(user_id=self.user_id, device_id=DeviceId("phone"), session_id=SessionId(1)),
            command=command,
            accepted_at_ms=self.door.clock.now_ms(),
        )
        (outcome,) = self.door.store.store([submission]).outcomes
        return outcome

    def send(
        self, chat: ConversationId, client_msg_id: str, *, text: str = "hello", to: UserId | None = None
    ) -> Outcome:
        """Send a text; `to` begins the chat if need be."""
        content = msgspec.Raw(msgspec.json.encode({"text": text}))
        return self.do(
            SendMessage(
                conversation_id=chat, client_msg_id=ClientMsgId(client_msg_id), type="text", content=content, to=to
            )
        )

    def edit(self, chat: ConversationId, seq: int, text: str) -> Outcome:
        """Edit a message."""
        content = msgspec.Raw(msgspec.json.encode({"text": text}))
        return self.do(EditMessage(conversation_id=chat, seq=Seq(seq), content=content))

    def recall(self, chat: ConversationId, seq: int) -> Outcome:
        """Recall a message."""
        return self.do(RecallMessage(conversation_id=chat, seq=Seq(seq)))

    def react(self, chat: ConversationId, seq: int, emoji: str) -> Outcome:
        """Add a reaction."""
        return self.do(AddReaction(conversation_id=chat, seq=Seq(seq), emoji=emoji))

    def unreact(self, chat: ConversationId, seq: int, emoji: str) -> Outcome:
        """Take a reaction back."""
        return self.do(RemoveReaction(conversation_id=chat, seq=Seq(seq), emoji=emoji))

    def read(self, chat: ConversationId, seq: int) -> Outcome:
        """Mark as read."""
        return self.do(MarkRead(conversation_id=chat, seq=Seq(seq)))

    def hide(self, chat: ConversationId) -> None:
        """Hide the conversation from this person's list."""
        hide_conversation(self.ports, self.user_id, chat)

    def begin_group(self, *others: UserId, random: bytes, large_members: int) -> Group:
        """Make a group, which is large from so many members on."""
        invitees = read_invitees("member_ids", [str(one) for one in others])
        new = NewGroup(name="Group", avatar_url=None, announcement=None, invitees=invitees)
        return create_group(self.group_ports(large_members), self.user_id, new, random=random).group

    def invite(self, group_id: GroupId, *others: UserId, large_members: int) -> None:
        """Bring users into a group."""
        invitees = read_invitees("user_ids", [str(one) for one in others])
        add_group_members(self.group_ports(large_members), self.user_id, group_id, invitees)

    def remove(self, group_id: GroupId, other: UserId) -> None:
        """Take somebody out of a group, or leave it."""
        remove_group_member(self.group_ports(2), self.user_id, group_id, other)

    def group_ports(self, large_members: int) -> GroupPorts:
        """What the use cases of groups stand on."""
        return GroupPorts(
            database=self.door.database,
            announcer=self.ports.announcer,
            clock=self.door.clock,
            ids=IdMaker(self.door.clock),
            max_members=100,
            large_members=large_members,
        )

    @property
    def ports(self) -> ConversationPorts:
        """What the use cases of conversations stand on."""
        door = self.door
        announcer = Announcer(door.database, door.connections, InMemoryProducer(), door.clock)
        return ConversationPorts(database=door.database, announcer=announcer, clock=door.clock)
