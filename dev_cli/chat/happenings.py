"""Says in a few words what happened to messages that are shown already, and how far the peer is."""

from typing import Any

TYPING_SHOWN_S = 5.0
"""How long after a `typing` its sender counts as writing: clients say so again every few seconds."""


def describe(event: str, data: dict[str, Any], *, actor: str) -> str | None:
    """Give the remark on an event; None for one that says nothing about a message."""
    at = f"#{data.get('seq')}"
    if event == "message.recalled":
        return f"{actor} took {at} back"
    if event == "message.edited":
        return f"{actor} changed {at}: {data['content'].get('text')}"
    if event == "reaction":
        done = f"reacted to {at} with" if data["action"] == "add" else f"took back from {at}"
        return f"{actor} {done} {data['emoji']} ({data['count']})"
    return None


def after_text(message: dict[str, Any]) -> str:
    """Give what follows a stored message's text: that it was edited, and its reactions."""
    edited = ["(edited)"] if message.get("edited_at") else []
    reactions = [f"{one['emoji']} {one['count']}" for one in message.get("reactions", ())]
    return "".join(f"  {one}" for one in (*edited, *reactions))


class PeerStatus:
    """What the peer does and how far it is. Times are seconds of one monotonic clock, handed in by the caller."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._typing_until_s = 0.0
        self._delivered_seq = 0
        self._read_seq = 0

    def on_typing(self, now_s: float) -> None:
        """Note that the peer is writing."""
        self._typing_until_s = now_s + TYPING_SHOWN_S

    def on_message(self) -> None:
        """Note that what the peer was writing has come."""
        self._typing_until_s = 0.0

    def on_receipt(self, data: dict[str, Any]) -> None:
        """Note how far the peer is; marks that come late move nothing back."""
        self._delivered_seq = max(self._delivered_seq, data["delivered_seq"])
        self._read_seq = max(self._read_seq, data["read_seq"])

    def line(self, now_s: float) -> str:
        """Give the status in a few words, empty while nothing is known."""
        if now_s < self._typing_until_s:
            return f"{self._peer} is typing…"
        if self._read_seq and self._read_seq >= self._delivered_seq:
            return f"{self._peer} has read #{self._read_seq}"
        if self._delivered_seq:
            read = f", has read #{self._read_seq}" if self._read_seq else ""
            return f"{self._peer} has #{self._delivered_seq}{read}"
        return ""
