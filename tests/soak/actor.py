"""One device of somebody who talks without end: draws what to do next, does it, notes what must come of it."""

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any

from tests.model.phone import Frame, Phone
from tests.model.reference import Command
from tests.soak.talks import Sent, Talk
from tests.soak.tally import Tally
from tests.soak.wire import Line, NeverAnsweredError, Refused

FRAMES_PER_S = 18.0
"""Below the 20 frames a second that a user has by default."""

WEIGHTS = {
    "send": 44,
    "send_by_rest": 8,
    "send_again": 5,
    "read": 12,
    "deliver": 6,
    "edit": 6,
    "react": 9,
    "recall": 2,
    "typing": 3,
    "look": 2,
    "sync": 1,
    "reconnect": 1,
    "hide": 1,
}

SECOND_DEVICE = {
    name: WEIGHTS[name] for name in ("send", "send_by_rest", "read", "deliver", "look", "sync", "reconnect")
}
"""What the second device of a user does: of changes by two devices nobody could say which came first."""

RECENT = 20
"""Changes are asked of so many of the latest messages of somebody."""

LATEST = 20
"""So many messages of a conversation are shown to a device that knows nothing (protocol, `POST /sync`)."""

RECALL_S = 60.0
"""Half of the time that a recall has."""

EMOJI = ("👍", "❤️", "🎉", "🙈")


class Actor:
    """Somebody with one device; the talks are shared with the other side's actor."""

    def __init__(
        self,
        line: Line,
        phone: Phone,
        talks: dict[str, Talk],
        tally: Tally,
        dice: random.Random,
        weights: Mapping[str, int] = WEIGHTS,
    ) -> None:
        self.line, self.phone, self.talks = line, phone, talks
        self._weights = weights
        self.heard: dict[str, set[int]] = {}
        self.first_looks: dict[str, int] = {}
        """Where conversations begin of which the first sync showed the latest messages alone."""
        self._tally = tally
        self._dice = dice

    @property
    def user(self) -> str:
        """The user's id."""
        return self.phone.user

    async def act_until(self, stop: asyncio.Event) -> None:
        """Do one thing after the other, at the pace that a user is allowed."""
        while not stop.is_set():
            began_s = time.monotonic()
            (what,) = self._dice.choices(list(self._weights), list(self._weights.values()))
            talk = self._dice.choice(list(self.talks.values()))
            try:
                await getattr(self, what)(talk)
            except (NeverAnsweredError, Refused) as fault:
                self._tally.problem("other", f"{self.user} {what} in {talk.chat_id}: {fault!r}")
                return
            self._tally.steps[what] += 1
            await asyncio.sleep(max(0.0, began_s + 1 / FRAMES_PER_S - time.monotonic()))

    def hear(self, frame: Frame) -> None:
        """Take a frame."""
        self.phone.hear(frame)
        event, data = frame["event"], frame["data"]
        if event == "message.new":
            for message in data["messages"]:
                self._hear_message(message)
        elif event == "message.stored":
            self._note_stored(self.talks[data["conversation_id"]], data["client_msg_id"], data["seq"])
        elif event == "message.rejected":
            self._tally.problem("lost", f"{self.user} was told {data}")
        elif event == "request.rejected" and data["code"] not in ("message_not_found", "forbidden"):
            self._tally.problem("other", f"{self.user} was told {data}")

    def _hear_message(self, message: Frame) -> None:
        heard = self.heard.setdefault(message["conversation_id"], set())
        sent = self.talks[message["conversation_id"]].sent.get(message["client_msg_id"])
        if message["seq"] not in heard and sent is not None and message["sender_id"] != self.user:
            self._tally.arrivals.note((time.monotonic() - sent.at_s) * 1000)
        heard.add(message["seq"])

    def _note_stored(self, talk: Talk, client_msg_id: str, seq: int) -> None:
        sent = talk.sent.get(client_msg_id)
        if sent is None:
            return
        if sent.stored_seq not in (None, seq):
            self._tally.problem("misnumbered", f"{client_msg_id} was {sent.stored_seq}, now it is {seq}")
        sent.stored_seq = seq

    async def send(self, talk: Talk) -> None:
        """Send a message by WebSocket."""
        # A single chat is not there before its first message.
        by_id = talk.is_group or (talk.chat.is_open and self._dice.random() < 0.5)
        target = {"conversation_id": talk.chat_id} if by_id else {"to": talk.peer(self.user)}
        await self._send(talk, {**target, **self._message(talk)})

    async def _send(self, talk: Talk, data: dict[str, Any]) -> None:
        name = data["client_msg_id"]
        sent = talk.sent.setdefault(name, Sent(self.user, data, time.monotonic()))
        self.phone.sends(data)
        self._tally.messages["sent"] += 1
        _, once = await self.line.ask("message.send", data)
        if once:
            self._tally.acks.note((time.monotonic() - sent.at_s) * 1000)
        else:
            self._tally.messages["resent"] += 1
        self._accept(sent)

    async def send_by_rest(self, talk: Talk) -> None:
        """Send a message over REST."""
        if not talk.chat.is_open:
            await self.send(talk)
            return
        data = self._message(talk)
        sent = talk.sent[data["client_msg_id"]] = Sent(self.user, data, time.monotonic())
        self._tally.messages["sent"] += 1
        answer = await self.line.call("POST", f"/conversations/{talk.chat_id}/messages", data)
        self._accept(sent)
        self._note_stored(talk, data["client_msg_id"], answer.json()["message"]["seq"])

    async def send_again(self, talk: Talk) -> None:
        """Repeat a recent message of one's own, by either door."""
        own = [one for one in talk.sent.values() if one.sender == self.user and one.accepted]
        if not own:
            return
        again = self._dice.choice(own)
        self._tally.messages["resent"] += 1
        if "to" in again.data or "conversation_id" in again.data:
            await self.line.ask("message.send", again.data)
        else:
            answer = await self.line.call("POST", f"/conversations/{talk.chat_id}/messages", again.data)
            self._note_stored(talk, again.data["client_msg_id"], answer.json()["message"]["seq"])

    def _accept(self, sent: Sent) -> None:
        self._tally.messages["accepted"] += not sent.accepted
        sent.accepted = True

    def _message(self, talk: Talk) -> dict[str, Any]:
        text = "soak " * self._dice.randint(1, 30) + "😀"
        return {"client_msg_id": talk.name(), "type": "text", "content": {"text": text}}

    async def read(self, talk: Talk) -> None:
        """Read up to somewhere, by either door."""
        await self._mark(talk, "message.read")

    async def deliver(self, talk: Talk) -> None:
        """Tell that messages arrived."""
        await self._mark(talk, "message.delivered")

    async def _mark(self, talk: Talk, action: str) -> None:
        view = self.phone.views.get(talk.chat_id)
        if not talk.chat.is_open or view is None or not view.whole:
            return
        seq = max(1, max(view.whole) - self._dice.randrange(3))
        if action == "message.read" and self._dice.random() < 0.2:
            await self.line.call("POST", f"/conversations/{talk.chat_id}/read", {"seq": seq})
        else:
            await self.line.ask(action, {"conversation_id": talk.chat_id, "seq": seq})
        talk.mark(self.user, action, seq)

    async def edit(self, talk: Talk) -> None:
        """Edit a recent message of one's own."""
        if targets := self._own(talk, within_s=None):
            text = f"edited {self._dice.random()}"
            await self._change(talk, "message.edit", self._dice.choice(targets), content={"text": text})

    async def recall(self, talk: Talk) -> None:
        """Take a young message of one's own back."""
        if targets := self._own(talk, within_s=RECALL_S):
            seq = self._dice.choice(targets)
            talk.recalled.add(seq)
            await self._change(talk, "message.recall", seq)

    async def react(self, talk: Talk) -> None:
        """React to a message, or take a reaction back."""
        targets = [one.seq for one in talk.chat.messages[-RECENT:] if one is not None and not one.recalled]
        targets = self._open(talk, targets) or self._own(talk, within_s=None)
        if targets:
            action = "reaction.add" if self._dice.random() < 0.7 else "reaction.remove"
            await self._change(talk, action, self._dice.choice(targets), emoji=self._dice.choice(EMOJI))

    def _own(self, talk: Talk, *, within_s: float | None) -> list[int]:
        """Name messages of one's own that are stored, of late: checked ones, and those whose answer has come."""
        now_s = time.monotonic()
        since_s = talk.hidden_at_s if self.user == talk.hider else 0.0
        mine = [one for one in talk.sent.values() if one.sender == self.user and one.at_s > since_s]
        own = [one for one in mine if one.stored_seq is not None]
        seqs = [one.stored_seq or 0 for one in own[-RECENT:] if within_s is None or now_s - one.at_s < within_s]
        return self._open(talk, seqs)

    def _open(self, talk: Talk, seqs: list[int]) -> list[int]:
        """Leave out what somebody took back or cleared, and what an answer is missing for."""
        return [one for one in seqs if one > talk.cleared_from and one not in talk.sealed | talk.recalled]

    async def _change(self, talk: Talk, action: str, seq: int, **more: Any) -> None:
        data = {"conversation_id": talk.chat_id, "seq": seq, **more}
        talk.changes.append(Command("", action, self.user, data, 0))
        _, once = await self.line.ask(action, data)
        if not once:
            talk.sealed.add(seq)

    async def typing(self, talk: Talk) -> None:
        """Type."""
        if talk.chat.is_open:
            await self.line.say("typing", {"conversation_id": talk.chat_id})

    async def look(self, talk: Talk) -> None:
        """Look at the list of conversations."""
        await self.line.call("GET", "/conversations")

    async def sync(self, talk: Talk | None = None) -> None:
        """Catch up."""
        is_first = self.phone.token is None
        while True:
            answer = (await self.line.call("POST", "/sync", self.phone.sync_request())).json()
            if is_first:
                self._note_first_looks(answer["conversations"])
            has_more = self.phone.merge_sync(answer)
            while self.phone.pages:
                await self._fetch_history(*self.phone.pages.pop())
            if not has_more:
                return

    def _note_first_looks(self, entries: list[Frame]) -> None:
        for entry in entries:
            chat_id = entry["conversation"]["conversation_id"]
            if chat_id not in self.phone.views and len(entry["messages"]) >= LATEST:
                self.first_looks[chat_id] = entry["messages"][0]["seq"]

    async def _fetch_history(self, chat_id: str, after_seq: int, last_seq: int, change: int) -> None:
        while True:
            path = f"/conversations/{chat_id}/messages?after_seq={after_seq}&limit=100"
            page = (await self.line.call("GET", path)).json()
            self.phone.merge_page(chat_id, page["messages"])
            if not page["has_more"]:
                self.phone.views[chat_id].complete(last_seq=last_seq, change=change)
                return
            after_seq = page["messages"][-1]["seq"]

    async def reconnect(self, talk: Talk) -> None:
        """Hang up, politely or not, connect again and catch up."""
        await self.line.hang_up(politely=self._dice.random() < 0.5)
        await self.line.connected()
        await self.sync()

    async def hide(self, talk: Talk) -> None:
        """Clear a conversation's history; seldom."""
        if talk.hider != self.user or not talk.chat.is_open or self._dice.random() < 0.8:
            return
        view = self.phone.views.get(talk.chat_id)
        known = max(view.whole, default=0) if view is not None else 0
        await self.line.call("DELETE", f"/conversations/{talk.chat_id}")
        talk.hide(known)
