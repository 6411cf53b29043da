"""One command with who gave it, whichever door it came through."""

from typing import cast

import msgspec

from gochat_contracts.commands import Command
from gochat_contracts.records import Sender
from gochat_core.types import ConversationId, DeviceId


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for; `frame_id` is the client's own name for the frame (REST: None)."""

    sender: Sender
    command: Command
    accepted_at_ms: int
    frame_id: str | None = None
    trace: str | None = None

    @property
    def conversation_id(self) -> ConversationId:
        """The conversation that it is about."""
        return self.command.conversation_id

    @property
    def action(self) -> str:
        """What the protocol calls it."""
        return cast("str", self.command.__struct_config__.tag)

    @property
    def origin_device_id(self) -> DeviceId | None:
        """The device whose frame this was; None for REST, whose answer is the response itself."""
        return None if self.sender.connection_id is None else self.sender.device_id
