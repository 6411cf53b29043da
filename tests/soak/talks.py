"""The conversations of a soak: what was asked of each, and the reference model that says what must come of it."""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.model.reference import Chat, Command, Member

KEPT = 60
"""So many of the latest messages of a conversation stay in memory from one check to the next: those may be changed."""


@dataclass
class Sent:
    """A message that somebody sent: what, since when, and whether it was accepted."""

    sender: str
    data: dict[str, Any]
    at_s: float
    accepted: bool = False
    stored_seq: int | None = None


@dataclass
class Talk:
    """One conversation among people who talk: a single chat, or a group that never changes.

    Only `hider` ever clears its history, so that the others' show all. A group may have silent members besides, whom
    the model needs not know. `begins` is the first seq after what its making wrote into its history. `checked` is the
    seq up to which everything was held to the model. `sealed` are messages for which an answer was lost: what was asked
    may happen once more, later, so nothing else is asked of them. `recalled` are those that somebody asked to be taken
    back. `cleared_from` is what the hider's history has to leave out at least.
    """

    chat_id: str
    members: tuple[str, ...]
    is_group: bool = False
    begins: int = 1
    chat: Chat = field(default_factory=Chat)
    sent: dict[str, Sent] = field(default_factory=dict)
    changes: list[Command] = field(default_factory=list)
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    sealed: set[int] = field(default_factory=set)
    recalled: set[int] = field(default_factory=set)
    cleared_from: int = 0
    hidden_at_s: float = 0.0
    checked: int = 0
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.chat.members = {user: Member() for user in self.members}

    @property
    def hider(self) -> str:
        """The one who clears its history now and then."""
        return self.members[0]

    @property
    def full_member(self) -> str:
        """One who never clears its history."""
        return self.members[1]

    def peer(self, user: str) -> str:
        """Return the other one of a single chat."""
        return self.members[1] if user == self.members[0] else self.members[0]

    def begin_group(self, read_seqs: Mapping[str, int], last_seq: int) -> None:
        """Take a group as it was made: up to where each member has read, and the last of its first messages."""
        self.chat.kind, self.chat.is_open = "group", True
        self.chat.messages = [FORGOTTEN] * last_seq
        for user, seq in read_seqs.items():
            self.chat.members[user].read = seq
        self.checked, self.begins = last_seq, last_seq + 1

    def name(self) -> str:
        """Return the client_msg_id of the next message."""
        return f"{self.chat_id[:8]}-{next(self.numbers)}"

    def mark(self, user: str, action: str, seq: int) -> None:
        """Note how far somebody said to have come."""
        self.marks[user, action] = max(seq, self.marks.get((user, action), 0))

    def hide(self, known_seq: int) -> None:
        """Note that the hider cleared what it knew, at least; what it asked for just before may come too late.

        Messages that it sent before may be cleared too, so that it can't change them any more.
        """
        self.hidden_at_s = time.monotonic()
        self.cleared_from = max(self.cleared_from, known_seq, self.checked)
        self.sealed |= {one.data["seq"] for one in self.changes if one.user == self.hider}

    def forget(self) -> None:
        """Drop what was checked and can't change any more."""
        last = self.chat.last_seq
        for seq in range(max(self.begins, self.checked - KEPT + 1), last - KEPT + 1):
            message = self.chat.messages[seq - 1]
            self.chat.known.pop((message.sender, message.client_msg_id), None)
            self.chat.messages[seq - 1] = FORGOTTEN
            self.sealed.discard(seq)
        self.sent = {name: one for name, one in self.sent.items() if (one.stored_seq or 0) > last - KEPT}
        self.changes.clear()
        self.recalled.clear()
        self.checked = last


FORGOTTEN: Any = None
"""Stands in the model for messages that nobody asks about any more: it keeps their numbers."""
