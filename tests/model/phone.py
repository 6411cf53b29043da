"""A client's memory of its conversations: merges frames and answers in any order, any number of times."""

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]

MUTATIONS = ("message.recalled", "message.edited", "reaction")


@dataclass
class View:
    """One conversation. It is complete from `base` to `seq`, and knows every mutation up to `change`."""

    base: int = 1
    seq: int = 0
    change: int = 0
    whole: dict[int, Frame] = field(default_factory=dict)
    deltas: dict[int, dict[int, tuple[str, Frame]]] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def merge(self, message: Frame) -> None:
        """Take a message as it was at some time: of two, the one with the greater `change` is the later."""
        seq, change = message["seq"], message["change"]
        if seq in self.whole and self.whole[seq]["change"] >= change:
            return
        self.whole[seq] = message
        for old in [number for number in self.deltas.get(seq, ()) if number <= change]:
            del self.deltas[seq][old]
        self._advance()

    def mutate(self, event: str, data: Frame) -> None:
        """Take what happened to one message; it may be older than what is known, or of a message yet to come."""
        change = data["change"]
        if change > self.change:
            self.seen.add(change)
        if self.whole.get(data["seq"], {"change": -1})["change"] < change:
            self.deltas.setdefault(data["seq"], {})[change] = (event, data)
        self._advance()

    def complete(self, *, last_seq: int, change: int) -> None:
        """Note that everything up to here was fetched."""
        self.seq, self.change = max(self.seq, last_seq), max(self.change, change)
        self.seen = {number for number in self.seen if number > self.change}
        self._advance()

    def message(self, seq: int, viewer: str) -> Frame:
        """Return a message as the client shows it."""
        shown = dict(self.whole[seq])
        for change in sorted(self.deltas.get(seq, ())):
            event, data = self.deltas[seq][change]
            shown["change"] = change
            if event == "message.recalled":
                shown |= {"recalled": True, "content": {}, "reactions": [], "mentions": []}
            elif event == "message.edited":
                shown |= {"content": data["content"], "edited_at": data["edited_at"]}
            else:
                shown["reactions"] = _react(shown["reactions"], data, viewer)
        return shown

    def _advance(self) -> None:
        while self.seq + 1 in self.whole:
            self.seq += 1
        while self.change + 1 in self.seen:
            self.seen.discard(self.change + 1)
            self.change += 1


def _own(sent: Frame, stored: Frame, user: str) -> Frame:
    """Return a message of one's own, put together from what was sent and what the server made of it."""
    return {
        **{name: stored[name] for name in ("client_msg_id", "message_id", "conversation_id", "seq", "created_at")},
        "sender_id": user,
        "type": sent["type"],
        "content": sent["content"],
        "mentions": sent.get("mentions", []),
        "reply_to_seq": sent.get("reply_to_seq"),
        "edited_at": None,
        "recalled": False,
        "reactions": [],
        "change": 0,
    }


def _react(reactions: list[Frame], data: Frame, viewer: str) -> list[Frame]:
    before = next((one for one in reactions if one["emoji"] == data["emoji"]), {"mine": False})
    mine = data["action"] == "add" if data["user_id"] == viewer else before["mine"]
    after = {"emoji": data["emoji"], "count": data["count"], "mine": mine, "user_ids": data["user_ids"]}
    others = [one for one in reactions if one["emoji"] != data["emoji"]]
    return [*others, after] if data["count"] else others


@dataclass
class Phone:
    """One device's memory.

    `pages` are the histories that it has yet to fetch: conversation, after which seq, last seq, change. `sent` is what
    it sent of late, `unanswered` of what it was told nothing yet; `receipts` is how far the peer of a single chat has
    got and read it. `spoilt` are ids that it used for two different messages: it can't know which of them was stored.
    """

    user: str
    device: str
    token: str | None = None
    views: dict[str, View] = field(default_factory=dict)
    pages: list[tuple[str, int, int, int]] = field(default_factory=list)
    sent: dict[str, Frame] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    spoilt: set[str] = field(default_factory=set)
    receipts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def sends(self, data: Frame) -> None:
        """Note a message before it is sent, to have it when the server tells where it stands."""
        name = data["client_msg_id"]
        if self.sent.setdefault(name, data) != data:
            self.spoilt.add(name)
        self.unanswered.add(name)

    def hear(self, frame: Frame) -> None:
        """Take a frame of the server."""
        event, data = frame["event"], frame.get("data", {})
        if event == "message.new":
            for message in data["messages"]:
                self.views.setdefault(message["conversation_id"], View()).merge(message)
        elif event == "message.stored" and data["client_msg_id"] in self.sent:
            sent = self.sent[data["client_msg_id"]]
            self.unanswered.discard(data["client_msg_id"])
            self.views.setdefault(data["conversation_id"], View()).merge(_own(sent, data, self.user))
        elif event == "message.rejected":
            self.unanswered.discard(data["client_msg_id"])
        elif event == "receipt" and data["user_id"] != self.user:
            self._receive(data["conversation_id"], data["delivered_seq"], data["read_seq"])
        elif event in MUTATIONS and data["conversation_id"] in self.views:
            self.views[data["conversation_id"]].mutate(event, data)

    def sync_request(self) -> Frame:
        """Return the body of POST /sync."""
        body: Frame = {"cursors": {name: {"seq": v.seq, "change": v.change} for name, v in self.views.items()}}
        if self.token is not None:
            body["token"] = self.token
        return body

    def merge_sync(self, answer: Mapping[str, Any]) -> bool:
        """Take an answer of POST /sync; return whether there is more. `pages` are the histories left to fetch."""
        for conversation_id in answer["removed"]:  # what stands in both lists begins anew
            self.views.pop(conversation_id, None)
        for entry in answer["conversations"]:
            state = entry["conversation"]
            self._receive(state["conversation_id"], state["peer_delivered_seq"], state["peer_read_seq"])
            first = entry["messages"][0]["seq"] if entry["messages"] else state["last_seq"] + 1
            # What was not known before begins with what the answer shows of it; older messages are in the history.
            view = self.views.setdefault(state["conversation_id"], View(base=first, seq=first - 1))
            for message in (*entry["messages"], *entry["changed"]):
                view.merge(message)
            if entry["has_more"]:
                # From the answer's end on, not from what is held: what was heard live may have been changed since.
                after_seq = entry["messages"][-1]["seq"]
                self.pages.append((state["conversation_id"], after_seq, state["last_seq"], state["change"]))
            else:
                view.complete(last_seq=state["last_seq"], change=state["change"])
        self.token = answer["token"]
        return bool(answer["has_more"])

    def _receive(self, conversation_id: str, delivered_seq: int, read_seq: int) -> None:
        before = self.receipts.get(conversation_id, (0, 0))
        self.receipts[conversation_id] = max(before[0], delivered_seq), max(before[1], read_seq)

    def merge_page(self, conversation_id: str, messages: Iterable[Frame]) -> None:
        """Take messages of a history."""
        view = self.views[conversation_id]
        for message in messages:
            view.merge(message)

    def shown(self, conversation_id: str) -> list[Frame]:
        """Return what the client shows of a conversation, oldest first."""
        view = self.views[conversation_id]
        seqs = sorted(view.whole)
        return [view.message(seq, self.user) for seq in seqs[bisect.bisect_left(seqs, view.base) :]]
