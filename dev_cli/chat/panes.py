"""Shows two people's chats side by side in one terminal, for a demonstration."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.bindings.focus import focus_next, focus_previous
from prompt_toolkit.layout import HSplit, Layout, VSplit, Window
from prompt_toolkit.widgets import Frame, TextArea

from dev_cli.chat.client import ChatClient
from dev_cli.chat.typed import HELP

Writer = Callable[[str], None]

HINT = f" Tab: the other pane   Enter: send   Ctrl-C: quit   {HELP}"

_REDRAW_S = 0.5
"""How often the titles are drawn anew: what they say of the other side grows old by itself."""


@dataclass(kw_only=True)
class Pane:
    """One person's view: the lines so far, and a line to type in."""

    username: str
    client: ChatClient | None = None

    def __post_init__(self) -> None:
        self._lines = TextArea(read_only=True, scrollbar=True, focusable=False, wrap_lines=True)
        self.entry = TextArea(height=1, prompt=f"{self.username}> ", multiline=False, accept_handler=self._accept)
        self.entry.buffer.on_text_changed += self._note_typing

    def write(self, line: str) -> None:
        """Add a line and scroll to it."""
        text = f"{self._lines.text}{line}\n"
        self._lines.buffer.set_document(Document(text, len(text)), bypass_readonly=True)

    def frame(self) -> Frame:
        """Give the pane as it is laid out."""
        return Frame(HSplit([self._lines, Window(height=1, char="─"), self.entry]), title=self._title)

    def _title(self) -> str:
        status = self.client.status if self.client is not None else ""
        return f"{self.username} · {status}" if status else self.username

    def _note_typing(self, buffer: Buffer) -> None:
        if self.client is not None and buffer.text and not buffer.text.startswith("/"):
            self.client.note_typing()

    def _accept(self, buffer: Buffer) -> bool:
        if buffer.text.strip() and self.client is not None:
            self.client.enter(buffer.text.strip())
        return False  # clears the line


async def show_panes(left: Pane, right: Pane) -> None:
    """Run both clients and draw them until Ctrl-C."""
    keys = KeyBindings()
    keys.add("tab")(focus_next)
    keys.add("s-tab")(focus_previous)

    @keys.add("c-c")
    @keys.add("c-d")
    def _quit(event: KeyPressEvent) -> None:
        event.app.exit()

    hint = TextArea(text=HINT, height=1, read_only=True, focusable=False)
    layout = Layout(HSplit([VSplit([left.frame(), right.frame()]), hint]), focused_element=left.entry)
    application: Application[None] = Application(
        layout=layout, key_bindings=keys, full_screen=True, refresh_interval=_REDRAW_S
    )
    connections = [asyncio.create_task(pane.client.run()) for pane in (left, right) if pane.client is not None]
    try:
        await application.run_async()
    finally:
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
