"""What a typed line asks for: a text to send, or, after a slash, something to do with a message."""

from dataclasses import dataclass, field
from typing import Any

HELP = "/react 3 👍   /unreact 3 👍   /edit 3 new text   /recall 3   //text begins with a slash"

_ACTIONS = {
    "react": ("reaction.add", "emoji"),
    "unreact": ("reaction.remove", "emoji"),
    "edit": ("message.edit", "content"),
    "recall": ("message.recall", None),
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """An action on one message, with its data but for the conversation."""

    action: str
    data: dict[str, Any] = field(default_factory=dict)


class UnknownCommandError(ValueError):
    """The line begins with a slash and is none of the commands; the text tells which there are."""


def read_line(line: str) -> str | Request:
    """Give the text of a line, or the request; raises UnknownCommandError."""
    if not line.startswith("/"):
        return line
    if line.startswith("//"):
        return line[1:]
    name, _, rest = line[1:].partition(" ")
    number, _, argument = rest.strip().partition(" ")
    action, wanted = _ACTIONS.get(name, ("", None))
    if not action or not number.removeprefix("#").isdecimal() or (wanted is None) != (not argument.strip()):
        raise UnknownCommandError(HELP)
    data: dict[str, Any] = {"seq": int(number.removeprefix("#"))}
    if wanted == "content":
        data["content"] = {"text": argument.strip()}
    elif wanted is not None:
        data[wanted] = argument.strip()
    return Request(action=action, data=data)
