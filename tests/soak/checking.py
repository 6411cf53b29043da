"""Holds a talk to the reference model while nobody acts: its history, both sides' cursors, every device's memory."""

import time
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.model.reference import Command, Message
from tests.model.views import Shown, shown_by_client, shown_by_model
from tests.soak.actor import Actor
from tests.soak.talks import KEPT, Talk
from tests.soak.tally import Tally

Problem = tuple[str, str]
"""What kind of promise is broken, and where."""

ORDER = {"message.edit": 0, "reaction.add": 0, "reaction.remove": 0, "message.recall": 1}
"""A recall ends a message: what was asked of it besides comes to nothing, whichever came first."""


class TalkCheck:
    """One look at one talk, whose devices have synced; made anew for each try: what is under way may still arrive."""

    def __init__(self, talk: Talk, actors: dict[str, list[Actor]]) -> None:
        self.talk, self.actors = talk, actors
        self.chat = talk.chat.fork()
        self.problems: list[Problem] = []
        self.stored: list[Shown] = []

    async def look(self) -> list[Problem]:
        """Return what is not as it must be now."""
        full = self.actors[self.full_user][0]
        first = max(self.talk.begins, self.talk.checked - KEPT + 1)
        self.stored = await _history(full, self.talk.chat_id, after_seq=first - 1)
        self._check_numbers(first)
        if not self.problems:
            self._replay()
            self._check_messages()
        if not self.problems:
            await self._check_members(first)
        return self.problems

    def _problem(self, kind: str, what: str) -> None:
        self.problems.append((kind, f"{self.talk.chat_id}: {what}"))

    def _check_numbers(self, first: int) -> None:
        seqs = [one["seq"] for one in self.stored]
        if seqs != list(range(first, first + len(seqs))):
            self._problem("misnumbered", f"from {first}: {seqs[:20]} …")
        names = [one["client_msg_id"] for one in self.stored]
        if len(names) != len(set(names)):
            self._problem("doubled", f"{[one for one in names if names.count(one) > 1][:5]}")
        by_name = {one["client_msg_id"]: one["seq"] for one in self.stored}
        for name, sent in self.talk.sent.items():
            if sent.accepted and name not in by_name:
                ago = f"{time.monotonic() - sent.at_s:.0f} s ago"
                told = f"told as {sent.stored_seq}; last is {seqs[-1] if seqs else first - 1}"
                self._problem("lost", f"{name}, which {sent.sender} sent {ago}, is not stored ({told}): {sent.data}")
            elif sent.stored_seq not in (None, by_name.get(name)):
                self._problem("misnumbered", f"{name} was told as {sent.stored_seq}, stored as {by_name.get(name)}")

    def _replay(self) -> None:
        """Do to the model what was asked, in the order in which it was stored."""
        for one in self.stored:
            if one["seq"] <= self.talk.checked:
                continue
            sent = self.talk.sent.get(one["client_msg_id"])
            if sent is None or sent.sender != one["sender_id"]:
                self._problem("doubled", f"{one['seq']} holds {one['client_msg_id']}, which nobody sent of late")
                return
            command = Command("", "message.send", sent.sender, {**sent.data, "to": ""}, 0)
            verdict = self.chat.apply(command, 0)
            if (verdict.seq, verdict.is_new) != (one["seq"], True):
                self._problem("misnumbered", f"{one['client_msg_id']}: the model says {verdict}")
                return
        for command in sorted(self.talk.changes, key=lambda one: ORDER[one.action]):
            self.chat.apply(command, 0)
        for (user, action), seq in self.talk.marks.items():
            if self.chat.is_open:
                self.chat.apply(Command("", action, user, {"seq": seq}, 0), 0)

    def _check_messages(self) -> None:
        for one in self.stored:
            message = self.chat.messages[one["seq"] - 1]
            expected = _timeless(shown_by_model(message, self.full_user))
            found = _timeless(shown_by_client(one))
            if message.seq in self.talk.sealed:
                # An answer was lost: what was asked last may have been done once more after something else.
                expected = {name: expected[name] for name in ("seq", "client_msg_id", "sender_id")}
                found = {name: found[name] for name in expected}
            if found != expected:
                self._problem("other", f"stored {found}, the model says {expected}")

    @property
    def full_user(self) -> str:
        """The member who never clears its history."""
        return self.talk.full_member

    async def _check_members(self, first: int) -> None:
        for user in self.talk.members:
            for actor in self.actors[user]:
                expected = [one for one in self.stored if one["seq"] > self.chat.members[user].cleared]
                if user == self.talk.hider:
                    expected = await self._learn_cleared(actor, first)
                self._check_device(actor, expected)
            if self.chat.is_open:
                await self._check_cursors(self.actors[user][0])

    async def _learn_cleared(self, actor: Actor, first: int) -> list[Shown]:
        """Find out up to where the hider cleared: nobody else can know what was stored before and what after."""
        shown = await _history(actor, self.talk.chat_id, after_seq=first - 1) if self.chat.is_open else []
        begins = shown[0]["seq"] if shown else self.chat.last_seq + 1
        seqs = [one["seq"] for one in shown]
        if seqs != list(range(begins, self.chat.last_seq + 1)):
            self._problem("lost", f"{actor.user} is shown {seqs[:20]} … of {self.chat.last_seq}")
        if begins <= self.talk.cleared_from:
            self._problem("other", f"{actor.user} cleared up to {self.talk.cleared_from} and is shown {begins}")
        if begins > first:
            self.chat.members[actor.user].cleared = begins - 1
        return shown

    def _check_device(self, actor: Actor, expected: list[Shown]) -> None:
        view = actor.phone.views.get(self.talk.chat_id)
        held = {} if view is None else {seq: view.message(seq, actor.user) for seq in view.whole}
        base = 1 if view is None else view.base
        for one in expected:
            if one["seq"] < base and (one["seq"] <= self.talk.checked or one["seq"] < self._first_look(actor)):
                continue
            mine = held.get(one["seq"])
            if mine is None:
                self._problem("unseen", f"{actor.user} has not got {one['seq']} after a sync; it begins at {base}")
            elif _known(mine, actor.user) != _known(one, actor.user):
                told = f"{_known(mine, actor.user)}, stored is {_known(one, actor.user)}"
                self._problem("unseen", f"{actor.user} after a sync has {told}")

    def _first_look(self, actor: Actor) -> int:
        """Return the first message that a device must have: it was shown the latest alone when it knew nothing."""
        return actor.first_looks.get(self.talk.chat_id, 1)

    async def _check_cursors(self, actor: Actor) -> None:
        state = (await actor.line.call("GET", f"/conversations/{self.talk.chat_id}")).json()["conversation"]
        expected = {
            "last_seq": self.chat.last_seq,
            "read_seq": self.chat.read_seq(actor.user),
            "unread_count": self.chat.unread(actor.user),
            "peer_read_seq": 0 if self.talk.is_group else self.chat.members[self.talk.peer(actor.user)].read,
        }
        told = {name: state[name] for name in expected}
        if told != expected:
            self._problem("drifted", f"{actor.user} is told {told}, the model says {expected}")

    def conclude(self, tally: Tally) -> None:
        """Make what was checked the beginning of the next check, and count it."""
        fresh = [one for one in self.stored if one["seq"] > self.talk.checked]
        tally.messages["stored"] += len(fresh)
        tally.messages["changes"] += len(self.talk.changes)
        for user in self.talk.members:
            for actor in self.actors[user]:
                self._count_seen(actor, fresh, tally)
        for one in self.stored:
            message: Message | None = self.chat.messages[one["seq"] - 1]
            if message is not None:
                self.chat.messages[one["seq"] - 1] = _as_stored(message, one)
        self.talk.chat = self.chat
        self.talk.forget()

    def _count_seen(self, actor: Actor, fresh: list[Shown], tally: Tally) -> None:
        due = {one["seq"] for one in fresh if one["sender_id"] != actor.user}
        due = {seq for seq in due if seq > self.chat.members[actor.user].cleared}
        view = actor.phone.views.get(self.talk.chat_id)
        tally.messages["due"] += len(due)
        tally.messages["live"] += len(due & actor.heard.pop(self.talk.chat_id, set()))
        held = due & (view.whole.keys() if view is not None else set())
        tally.messages["synced"] += len(held)
        tally.messages["older"] += len({seq for seq in due - held if seq < self._first_look(actor)})
        actor.phone.sent = {name: actor.phone.sent[name] for name in actor.phone.unanswered}
        if view is not None:
            for seq in [one for one in view.whole if one <= self.chat.last_seq - KEPT]:
                del view.whole[seq]
                view.deltas.pop(seq, None)
            view.base = max(view.base, min(view.whole, default=view.base))


async def _history(actor: Actor, chat_id: str, *, after_seq: int) -> list[Shown]:
    messages: list[Shown] = []
    has_more = True
    while has_more:
        after = messages[-1]["seq"] if messages else after_seq
        path = f"/conversations/{chat_id}/messages?after_seq={after}&limit=100"
        answer = await actor.line.call("GET", path, takes=(200, 404))
        if answer.status_code == 404:
            return []
        page: Any = answer.json()
        messages += page["messages"]
        has_more = page["has_more"]
    return messages


def _timeless(shown: Shown) -> Shown:
    """Leave out what depends on the order in which two people's changes came: their numbers, and who reacted first."""
    reactions = sorted((emoji, count, mine, sorted(users)) for emoji, count, mine, users in shown["reactions"])
    return {name: value for name, value in shown.items() if name != "change"} | {"reactions": reactions}


def _known(message: Shown, viewer: str) -> Shown:
    """Return what a viewer must know of a message, whoever fetched it."""
    reactions = [{**one, "mine": viewer in one["user_ids"]} for one in message["reactions"]]
    return {**shown_by_client({**message, "reactions": reactions}), "message_id": message["message_id"]}


def _as_stored(message: Message, shown: Shown) -> Message:
    """Return the model's message as the stores have it, where the model could not know: times, numbers, order."""
    return replace(
        message,
        content=shown["content"],
        change=shown["change"],
        edited=shown["edited_at"] is not None,
        recalled=shown["recalled"],
        reactions={one["emoji"]: one["user_ids"] for one in shown["reactions"]},
        created_at_ms=int(datetime.fromisoformat(shown["created_at"]).timestamp() * 1000),
    )
