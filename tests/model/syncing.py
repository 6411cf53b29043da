"""Catching up as a client does it: one sync with its pages, and the histories of what has more."""

from typing import Any

from tests.model.ledger import check
from tests.model.people import Device
from tests.model.phone import Phone
from tests.model.views import check_state, check_view
from tests.model.world import NOTHING, Orders, World

MOST_PAGES = 60


def forget(device: Device, *, keeps_cursors: bool) -> None:
    """Have a client lose its token, or everything."""
    device.is_live = False
    if keeps_cursors:
        device.phone.token = None
    else:
        old = device.phone
        device.phone = Phone(device.user, device.name, sent=old.sent, unanswered=old.unanswered, spoilt=old.spoilt)


def sync(world: World, device: Device, *, which: int = 0, orders: Orders = NOTHING, alone: bool = True) -> bool:
    """Catch up; return whether that succeeded. Unless it is not `alone`, the client then knows all that there is."""
    phone, told = device.phone, dict[str, Any]()
    if not fetch_histories(world, device, which=which):
        return False
    for _ in range(MOST_PAGES):
        answer = world.rest(device, "POST", "/sync", phone.sync_request(), which=which, orders=orders)
        orders = NOTHING
        if answer.status != 200:
            check(answer.status in (503,), "4 (catch-up)", f"/sync answered {answer.status} {answer.text}")
            return False
        told |= {one["conversation"]["conversation_id"]: one["conversation"] for one in answer.json["conversations"]}
        has_more = phone.merge_sync(answer.json)
        if not fetch_histories(world, device, which=which):
            return False
        if not has_more:
            break
    else:
        check(False, "4 (catch-up)", f"/sync never ends for {device.user}")
    device.is_live = device.socket is not None and device.socket.phase == "open"
    if alone:
        for chat_id, state in told.items():
            check_state(world, device.user, chat_id, state)
        for chat_id in world.chat_ids:
            check_view(world, device, chat_id)
    return True


def fetch_histories(world: World, device: Device, *, which: int) -> bool:
    """Fetch what a sync left for the histories; return whether that succeeded."""
    while device.phone.pages:
        chat_id, after_seq, last_seq, change = device.phone.pages[-1]
        has_more = chat_id in device.phone.views
        while has_more:
            answer = world.rest(
                device, "GET", f"/conversations/{chat_id}/messages?after_seq={after_seq}&limit=100", which=which
            )
            if answer.status != 200:
                return False
            device.phone.merge_page(chat_id, answer.json["messages"])
            has_more = answer.json["has_more"]
            after_seq = answer.json["messages"][-1]["seq"] if has_more else last_seq
        if chat_id in device.phone.views:
            device.phone.views[chat_id].complete(last_seq=last_seq, change=change)
        device.phone.pages.pop()
    return True
