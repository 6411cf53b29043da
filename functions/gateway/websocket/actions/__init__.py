"""What clients can ask for: one module an action, found by its name in the frame."""

from collections.abc import Mapping

from gateway.websocket.actions import hello, send_message
from gateway.websocket.actions.action import Action

ACTIONS: Mapping[str, Action] = {
    "hello": hello.plan_hello,
    "message.send": send_message.plan_send_message,
}
