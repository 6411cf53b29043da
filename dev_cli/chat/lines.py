"""Draws one message as a line."""

from dev_cli.chat.timeline import ChatMessage


def draw(message: ChatMessage, sender: str) -> str:
    """Give `#seq hh:mm:ss name: text`, with the latency of what we sent ourselves."""
    time_of_day = message.created_at[11:19]
    latency = "" if message.latency_ms is None else f"  ({message.latency_ms:.0f} ms)"
    return f"#{message.seq} {time_of_day} {sender}: {message.text}{latency}"
