"""Writes and reads the WebSocket frames of the public contract."""

import json
import uuid
from typing import Any

from dev_cli.chat import happenings
from dev_cli.chat.outbox import Draft
from dev_cli.chat.timeline import ChatMessage

HELLO_ID = "hello"

# How long a message may wait behind a hole before the hole is fetched.
GAP_PATIENCE_S = 0.5


def hello() -> str:
    """Ask who we are and what the limits are."""
    return _frame("hello", HELLO_ID, {})


def ping() -> str:
    """Keep the connection from being cut as idle."""
    return _frame("ping", "ping", {})


def send_text(conversation_id: str, draft: Draft) -> str:
    """Send a text; the frame's id is the message's own, so that any refusal names the message."""
    data = {
        "conversation_id": conversation_id,
        "client_msg_id": draft.client_msg_id,
        "type": "text",
        "content": {"text": draft.text},
    }
    return _frame("message.send", draft.client_msg_id, data)


def request(conversation_id: str, action: str, data: dict[str, Any]) -> str:
    """Ask for something in the conversation."""
    return _frame(action, f"{action}-{uuid.uuid4().hex[:8]}", {"conversation_id": conversation_id, **data})


def to_message(message: dict[str, Any]) -> ChatMessage:
    """Read a `message` object; what is no text shows its type instead."""
    text = message["content"].get("text") if message["type"] == "text" else f"[{message['type']}]"
    shown = "[recalled]" if message.get("recalled") else f"{text}{happenings.after_text(message)}"
    return ChatMessage(
        seq=message["seq"],
        sender_id=message["sender_id"],
        text=shown,
        created_at=message["created_at"],
    )


def stored_message(data: dict[str, Any], draft: Draft, *, sender_id: str, latency_ms: float) -> ChatMessage:
    """Make the message that a `message.stored` tells of: its text is what we sent."""
    return ChatMessage(
        seq=data["seq"],
        sender_id=sender_id,
        text=draft.text,
        created_at=data["created_at"],
        latency_ms=latency_ms,
    )


def reason(failure: Exception) -> str:
    """Say in a few words why a connection or a call failed."""
    return str(failure) or type(failure).__name__


def _frame(action: str, frame_id: str, data: dict[str, Any]) -> str:
    return json.dumps({"action": action, "id": frame_id, "data": data}, ensure_ascii=False, separators=(",", ":"))
