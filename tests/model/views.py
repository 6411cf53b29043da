"""Holds what clients are told to the reference model: messages, conversations, whole histories."""

from typing import Any

from tests.model.ledger import check
from tests.model.people import Device
from tests.model.reference import Chat, Message, Verdict
from tests.model.world import World

Shown = dict[str, Any]

FIRST_PAGE = 20
"""How many of the latest messages a client that knows nothing is shown (protocol: POST /sync)."""


def shown_by_model(message: Message, viewer: str) -> Shown:
    """Return what a member should see of a message."""
    return {
        "seq": message.seq,
        "sender_id": message.sender,
        "client_msg_id": message.client_msg_id,
        "content": message.content,
        "change": message.change,
        "edited": message.edited,
        "recalled": message.recalled,
        "reply_to_seq": message.sent["reply_to_seq"],
        "reactions": sorted((emoji, len(users), viewer in users, users) for emoji, users in message.reactions.items()),
    }


def shown_by_client(message: Shown) -> Shown:
    """Return the same of a message that a client holds."""
    return {
        **{name: message[name] for name in ("seq", "sender_id", "client_msg_id", "content", "change", "recalled")},
        "edited": message["edited_at"] is not None,
        "reply_to_seq": message["reply_to_seq"],
        "reactions": sorted((one["emoji"], one["count"], one["mine"], one["user_ids"]) for one in message["reactions"]),
    }


def is_member(chat: Chat, user: str) -> bool:
    """Tell whether the user belongs to the conversation now."""
    member = chat.members.get(user)
    return chat.is_open and member is not None and member.left_seq is None


def check_messages(chat: Chat, user: str, messages: list[Shown], expected: list[Message], promise: str) -> None:
    """Fail unless a list of messages is just what the model says."""
    got = [shown_by_client(one) for one in messages]
    wanted = [shown_by_model(one, user) for one in expected]
    if got == wanted:
        return
    by_seq = {one["seq"]: one for one in got}
    lacking = [one for one in wanted if by_seq.get(one["seq"]) != one]
    surplus = sorted(by_seq.keys() - {one["seq"] for one in wanted})
    pairs = [f"{one}, the client has {by_seq.get(one['seq'])}" for one in lacking[:3]]
    check(False, promise, f"{user} has {sorted(by_seq)}; surplus {surplus}; lacking or other:\n  " + "\n  ".join(pairs))


def check_view(world: World, device: Device, chat_id: str) -> None:
    """Fail unless a client that has caught up holds what the member sees, from where its view begins."""
    chat, phone = world.chat(chat_id), device.phone
    if not is_member(chat, device.user):
        return
    floor = chat.floor(device.user)
    view = phone.views.get(chat_id)
    if view is None:
        check(
            not chat.visible(device.user),
            "4 (catch-up)",
            f"{device.user} {device.name} does not know {chat_id}, which has messages for it",
        )
        return
    begins = max(view.base, floor + 1)
    messages = [
        one for one in phone.shown(chat_id) if one["seq"] >= begins and one["client_msg_id"] not in phone.spoilt
    ]
    expected = [one for one in chat.visible(device.user) if one.seq >= begins and one.client_msg_id not in phone.spoilt]
    check_messages(chat, device.user, messages, expected, f"4 (catch-up) of {device.name} in {chat_id}")


def check_state(world: World, user: str, chat_id: str, state: Shown) -> None:
    """Fail unless a conversation is told to its member as the model has it."""
    chat = world.chat(chat_id)
    check(is_member(chat, user), "6 (members)", f"{user} is told of {chat_id}")
    told = {name: state[name] for name in ("last_seq", "change", "unread_count", "read_seq")}
    expected = {
        "last_seq": chat.last_seq,
        "change": chat.change,
        "unread_count": chat.unread(user),
        "read_seq": chat.read_seq(user),
    }
    if chat.kind == "single":
        peer = next(one for name, one in chat.members.items() if name != user)
        told |= {name: state[name] for name in ("peer_read_seq", "peer_delivered_seq")}
        expected |= {"peer_read_seq": peer.read, "peer_delivered_seq": peer.delivered}
    check(told == expected, "5 (unread)", f"{user} in {chat_id}: told {told}, the model says {expected}")


def rejected_codes(verdicts: list[Verdict]) -> set[str]:
    """Return the codes that the model refused a command with."""
    return {one.code for one in verdicts if one.code is not None}
