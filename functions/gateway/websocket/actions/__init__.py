"""What clients can ask for: one module an action or family of actions, found by the action's name in the frame."""

from collections.abc import Mapping

from gateway.websocket.actions import (
    edit_message,
    hello,
    reactions,
    recall_message,
    receipts,
    send_message,
    show_typing,
    subscribe_presence,
)
from gateway.websocket.actions.action import Action

ACTIONS: Mapping[str, Action] = {
    "hello": hello.plan_hello,
    "message.send": send_message.plan_send_message,
    "message.delivered": receipts.plan_mark_delivered,
    "message.read": receipts.plan_mark_read,
    "message.recall": recall_message.plan_recall_message,
    "message.edit": edit_message.plan_edit_message,
    "reaction.add": reactions.plan_add_reaction,
    "reaction.remove": reactions.plan_remove_reaction,
    "typing": show_typing.plan_typing,
    "presence.subscribe": subscribe_presence.plan_subscribe_presence,
}
