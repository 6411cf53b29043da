"""What an action is: a pure plan of what one frame produces and how it is acknowledged."""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from gateway.websocket.caller import Caller
from gateway.websocket.limits import Limits
from gochat_contracts.commands import Command
from gochat_core.types import ConversationId, UserId


class Nothing(msgspec.Struct, frozen=True):
    """The data of an `ack` that has nothing to tell: `{}`."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do for a frame that keeps the contract.

    `command`, if any, goes to the upstream topic before `ack` is sent; None means that the answer is all.
    `ack` is the acknowledgement's data; None means that the action has no reply. `watch` names users to subscribe to:
    how they are is then the answer. `conversation_id` is whose rate is counted, beside the user's.
    """

    ack: object | None = Nothing()
    command: Command | None = None
    watch: tuple[UserId, ...] | None = None
    conversation_id: ConversationId | None = None


class Action(Protocol):
    """Checks the data of a frame and plans it. Pure; raises a Refusal for what can never succeed."""

    def __call__(self, data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan: ...
