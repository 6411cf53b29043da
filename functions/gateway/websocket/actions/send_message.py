"""Action `message.send`: accepts a message, to be numbered and stored by `logic`."""

import msgspec

from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.limits import Limits
from gochat_contracts.message_content import parse_send_message


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the `ack` of `message.send`."""

    client_msg_id: str
    status: str = "accepted"


def plan_send_message(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check the message by all rules of the contract; the single chat's id is derived where `to` names the peer."""
    command = parse_send_message(data, sender_id=caller.user_id)
    return Plan(
        ack=Accepted(client_msg_id=command.client_msg_id), command=command, conversation_id=command.conversation_id
    )
