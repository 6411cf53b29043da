"""What the protocol promises of conversations, in plain Python: no stores, no crashes, one thing after the other.

A command is an action with the very `data` that a client puts into its frame. `Chat.apply` gives the verdict that every
door must give, and changes the state as every store must hold it.
"""

import copy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

RECALL_WINDOW_MS = 120_000
Data = dict[str, Any]


class Refused(Exception):
    """The command is answered with this code and changes nothing."""


class Command(NamedTuple):
    """Something that a user asks for; `id` is the frame's, `accepted_at_ms` when the door took it."""

    id: str
    action: str
    user: str
    data: Data
    accepted_at_ms: int


class Verdict(NamedTuple):
    """What became of a command: a refusal's code, or the seq that it concerns and the change that it made."""

    code: str | None = None
    seq: int = 0
    change: int = 0
    is_new: bool = False


@dataclass(frozen=True)
class Message:
    """A stored message as it is now; `sent` is what a resend under the same id must equal."""

    seq: int
    sender: str
    client_msg_id: str
    sent: Data
    content: Data
    created_at_ms: int
    change: int = 0
    edited: bool = False
    recalled: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Member:
    """A participant and its cursors; `left_seq` is the first seq that it does not see any more."""

    join_seq: int = 1
    left_seq: int | None = None
    read: int = 0
    sent: int = 0
    delivered: int = 0
    cleared: int = 0
    hidden: int | None = None


@dataclass
class Chat:
    """One conversation; a single chat begins with the first message that names the peer."""

    kind: str = "single"
    is_open: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    change: int = 0
    known: dict[tuple[str, str], tuple[Data, int]] = field(default_factory=dict)
    """What was sent under which id, and its seq."""

    def apply(self, command: Command, now_ms: int) -> Verdict:
        """Do what is asked, or refuse it."""
        try:
            verdict: Verdict = getattr(self, command.action.replace(".", "_"))(command, now_ms)
        except Refused as refusal:
            return Verdict(code=str(refusal))
        return verdict

    def fork(self) -> "Chat":
        """Return a copy to try something on."""
        members = {user: copy.copy(member) for user, member in self.members.items()}
        return Chat(self.kind, self.is_open, members, list(self.messages), self.change, dict(self.known))

    @property
    def last_seq(self) -> int:
        return len(self.messages)

    def active(self, user: str) -> Member:
        """Return a present member; to everybody else the conversation does not exist."""
        if not self.is_open:
            raise Refused("conversation_not_found")
        return self._present(user)

    def _present(self, user: str) -> Member:
        member = self.members.get(user)
        if member is None or member.left_seq is not None:
            raise Refused("conversation_not_found")
        return member

    def floor(self, user: str) -> int:
        """Return the seq up to which the user sees nothing."""
        return max(self.members[user].join_seq - 1, self.members[user].cleared)

    def visible(self, user: str) -> list[Message]:
        """Return what a present member sees."""
        return self.messages[self.floor(user) :]

    def read_seq(self, user: str) -> int:
        """Return what a present member is told to have read: what one has sent, or never sees, counts as read."""
        return max(self.floor(user), self.members[user].read, self.members[user].sent)

    def unread(self, user: str) -> int:
        """Return how many messages a present member has neither read nor sent."""
        return self.last_seq - self.read_seq(user)

    def is_listed(self, user: str) -> bool:
        """Tell whether a present member finds the conversation in its list."""
        hidden = self.members[user].hidden
        return hidden is None or self.last_seq > hidden

    def message_send(self, command: Command, now_ms: int) -> Verdict:
        user, data = command.user, command.data
        sent = {key: data.get(key) for key in ("type", "content", "reply_to_seq", "mentions")}
        key = user, data["client_msg_id"]
        if key in self.known:  # before any permission: what was stored stays stored
            if self.known[key][0] != sent:
                raise Refused("client_msg_id_conflict")
            return Verdict(seq=self.known[key][1])
        if not (self.is_open or "to" in data):
            raise Refused("conversation_not_found")
        member = self._present(user)
        if (reply := data.get("reply_to_seq")) is not None and not self.floor(user) < reply <= self.last_seq:
            raise Refused("message_not_found")
        self.is_open, member.sent = True, self.last_seq + 1
        self.known[key] = sent, member.sent
        self.messages.append(Message(member.sent, user, data["client_msg_id"], sent, data["content"], now_ms))
        return Verdict(seq=member.sent, is_new=True)

    def message_read(self, command: Command, now_ms: int) -> Verdict:
        member = self.active(command.user)
        member.read = max(member.read, min(command.data["seq"], self.last_seq))
        member.delivered = max(member.delivered, member.read)
        return Verdict(seq=member.read)

    def message_delivered(self, command: Command, now_ms: int) -> Verdict:
        member = self.active(command.user)
        member.delivered = max(member.delivered, min(command.data["seq"], self.last_seq))
        return Verdict(seq=member.delivered)

    def message_recall(self, command: Command, now_ms: int) -> Verdict:
        message = self._target(command)
        if message.sender != command.user:
            raise Refused("forbidden")
        if message.recalled:
            return Verdict(seq=message.seq)
        if command.accepted_at_ms - message.created_at_ms > RECALL_WINDOW_MS:
            raise Refused("forbidden")
        return self._changed(message, recalled=True, content={}, reactions={})

    def message_edit(self, command: Command, now_ms: int) -> Verdict:
        message = self._target(command)
        if message.recalled:
            raise Refused("message_not_found")
        if message.sender != command.user:
            raise Refused("forbidden")
        if message.sent["type"] != "text":
            raise Refused("invalid_request")
        if message.content == command.data["content"]:
            return Verdict(seq=message.seq)
        return self._changed(message, edited=True, content=command.data["content"])

    def reaction_add(self, command: Command, now_ms: int) -> Verdict:
        message = self._target(command)
        if message.recalled:
            raise Refused("message_not_found")
        users = message.reactions.get(command.data["emoji"], [])
        if command.user in users:
            return Verdict(seq=message.seq)
        return self._changed(message, reactions={**message.reactions, command.data["emoji"]: [*users, command.user]})

    def reaction_remove(self, command: Command, now_ms: int) -> Verdict:
        message = self._target(command)
        if message.recalled:
            raise Refused("message_not_found")
        users = message.reactions.get(command.data["emoji"], [])
        if command.user not in users:
            return Verdict(seq=message.seq)
        left = {**message.reactions, command.data["emoji"]: [one for one in users if one != command.user]}
        return self._changed(message, reactions={emoji: users for emoji, users in left.items() if users})

    def typing(self, command: Command, now_ms: int) -> Verdict:
        self.active(command.user)
        return Verdict()

    def hide(self, command: Command, now_ms: int) -> Verdict:
        member = self.active(command.user)
        member.hidden = member.cleared = self.last_seq
        return Verdict()

    def open(self, command: Command, now_ms: int) -> Verdict:
        is_new, self.is_open = not self.is_open, True
        self.members[command.user].hidden = None
        return Verdict(is_new=is_new)

    def join(self, command: Command, now_ms: int) -> Verdict:
        member = self.members.setdefault(command.user, Member(left_seq=0))
        if member.left_seq is not None:
            member.join_seq, member.left_seq, member.hidden = self.last_seq + 1, None, None
        return Verdict()

    def leave(self, command: Command, now_ms: int) -> Verdict:
        self.active(command.user).left_seq = self.last_seq + 1
        return Verdict()

    def _target(self, command: Command) -> Message:
        self.active(command.user)
        seq = command.data["seq"]
        if not self.floor(command.user) < seq <= self.last_seq:
            raise Refused("message_not_found")
        message: Message = self.messages[seq - 1]
        return message

    def _changed(self, message: Message, **what: Any) -> Verdict:
        self.change += 1
        self.messages[message.seq - 1] = replace(message, change=self.change, **what)
        return Verdict(seq=message.seq, change=self.change, is_new=True)
