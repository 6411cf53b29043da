"""The eight promises of the protocol, each a check by its name, and the rest at which they must hold."""

import time
from collections.abc import Callable
from typing import Any

from gochat_repo.outbox import OVERDUE_MS
from tests.model.ledger import check
from tests.model.people import Device
from tests.model.reference import Chat, Command
from tests.model.views import check_messages, check_state, check_view, is_member, rejected_codes
from tests.model.world import World

ROUNDS = 200
"""How often everything is pumped before rest is given up: far more than any walk leaves to do."""

ROUND_MS = 1_000
"""What a round takes: what was handed back goes around until its connection is there, gone or no longer young."""

OUTBOX_WAIT_S = 5.0


def settle(world: World) -> None:
    """End all outages, let everything be done that is under way, and hold every promise."""
    if world.fleet.away:
        world.fleet.away.clear()
        world.redis.flushall()
    world.log.available, world.log.fail_after = True, None
    for socket in world.cell.sockets.values():
        socket.throttled = 0
        if socket.phase == "limbo":
            world.cell.end(socket, "dropped")
    for device in world.people.devices:
        if device.is_leaving:
            world.log_out(device)
    work_off(world)
    _check_announced_again(world)
    # What a dead container left is announced, once it is overdue, by the next writer or by the sweep.
    for _ in range(3):
        if not _outbox_rows(world, within_s=0.1):
            break
        world.clock.advance_ms(OVERDUE_MS + 1_000)
        if world.ledger.turn % 2:
            world.sweep()
        else:
            _write_once(world)
        work_off(world)
    for device in world.people.devices:
        if device.is_connected and device.is_logged_in:
            for name in sorted(device.phone.unanswered):
                world.say(device, "message.send", device.phone.sent[name])  # as clients do with what nobody answers
    work_off(world)
    for promise in PROMISES:
        promise(world)


def work_off(world: World) -> None:
    """Bring every topic's records to their functions, and run what those hand on, until there is nothing left."""
    for _ in range(ROUNDS):
        world.clock.advance_ms(ROUND_MS)
        for mapping in ("upstream", "deliver", "worker", "bulk"):
            world.pump(mapping, (0, 1), 100)
        while world.fleet.events:
            world.report(0)
        while world.cell.farewells:
            world.say_farewell(world.cell.farewells.pop())
        world.hear()
        if all(mapping.is_idle() for mapping in world.mappings.values()) and not world.fleet.events:
            return
    check(False, "1 (nothing is lost)", "the topics are never worked off")


def _write_once(world: World) -> None:
    """Send one message to the group, from whoever is in it."""
    chat_id = world.chat_ids[-1]
    device = next((one for one in world.people.devices if is_member(world.chat(chat_id), one.user)), None)
    if device is None:
        device = world.people.devices[0]
        world.change_roster("join", device.user)
    if not device.is_logged_in:
        world.people.log_in(device)
    name = world.name()
    body = {"client_msg_id": f"m-{name}", "type": "text", "content": {"text": "still there?"}}
    command = Command(name, "message.send", device.user, body, world.clock.now_ms())
    world.ask(device, chat_id, command, ("POST", f"/conversations/{chat_id}/messages", body))


def _outbox_rows(world: World, *, within_s: float) -> int:
    """Count what is not announced, once deletions that nobody waited for have had their time."""
    deadline = time.monotonic() + within_s
    while True:
        count = int(world.observer.read(lambda tx: tx.query("SELECT COUNT(*) FROM outbox"))[0][0])
        if not count or time.monotonic() > deadline:
            return count
        time.sleep(0.002)


def _check_announced_again(world: World) -> None:
    """1: whoever brings a batch again makes up for what was not announced, at once: nobody waits for a sweep.

    A row whose announcement was made may stand all the same, when it could not be deleted then.
    """
    sql = (
        "SELECT o.conversation_id, o.number FROM outbox o JOIN messages m ON m.conversation_id = o.conversation_id"
        " AND m.seq = o.number WHERE o.kind = 'message' AND o.origin_device_id IS NOT NULL AND m.created_at_ms > %s"
    )
    young_ms = world.clock.now_ms() - OVERDUE_MS
    for key, seq in world.observer.read(lambda tx: tx.query(sql, (young_ms,))):
        _check_reached(world, key.hex(), seq, "1 (nothing is lost)")


def nothing_acknowledged_is_lost(world: World) -> None:
    """1: what was acknowledged was applied or refused, and what was refused was told to a device that listened."""
    for name in world.ledger.accepted:
        command = world.ledger.commands[name]
        if command.action == "typing":
            continue
        check(world.ledger.verdicts[name], "1 (nothing is lost)", f"{command} was acknowledged and has vanished")
    check(not _outbox_rows(world, within_s=OUTBOX_WAIT_S), "1 (nothing is lost)", "an announcement was never made")


def everything_is_stored_once_in_one_order(world: World) -> None:
    """2 and 3: everybody's history is the model's, which the tables were held to after every batch."""
    for user in world.people.users:
        device = next((one for one in world.people.of(user) if one.is_logged_in), None)
        for chat_id in world.chat_ids:
            if device is None or not is_member(world.chat(chat_id), user):
                continue
            messages: list[dict[str, Any]] = []
            has_more, after = True, 0
            while has_more:
                path = f"/conversations/{chat_id}/messages?after_seq={after}&limit=100"
                page = world.rest(device, "GET", path).json
                messages += page["messages"]
                has_more, after = page["has_more"], messages[-1]["seq"] if messages else 0
            check_messages(world.chat(chat_id), user, messages, world.chat(chat_id).visible(user), "3 (one order)")


def who_is_connected_has_everything(world: World) -> None:
    """4: a client that has caught up once since it connected needs no other sync."""
    for device in world.people.devices:
        if device.is_live and device.socket is not None and device.socket.phase == "open":
            for chat_id in world.chat_ids:
                check_view(world, device, chat_id)


def receipts_have_come(world: World) -> None:
    """4: where nothing fails, who is connected knows which of the own messages the other one has got and read."""
    for device in world.people.devices:
        if world.faults or not device.is_live or device.socket is None or device.socket.phase != "open":
            continue
        for chat_id in world.chat_ids:
            peer = world.peer(chat_id, device.user)
            if peer is not None and world.chat(chat_id).is_open:
                _check_receipts(world.chat(chat_id), device, peer, device.phone.receipts.get(chat_id, (0, 0)))


def _check_receipts(chat: Chat, device: Device, peer: str, known: tuple[int, int]) -> None:
    member = chat.members[peer]
    own = [message.seq for message in chat.visible(device.user) if message.sender == device.user]
    for cursor, told, name in ((member.delivered, known[0], "got"), (member.read, known[1], "read")):
        expected, found = ([seq for seq in own if seq <= end] for end in (cursor, told))
        check(found == expected, "4 (catch-up)", f"{device.user} was told that {peer} {name} {found}, not {expected}")


def unread_is_what_the_cursors_say(world: World) -> None:
    """5: every list shows what the model counts."""
    for user in world.people.users:
        device = next((one for one in world.people.of(user) if one.is_logged_in), None)
        if device is None:
            continue
        listed = world.rest(device, "GET", "/conversations?limit=100").json["conversations"]
        for state in listed:
            check_state(world, user, state["conversation_id"], state)
        expected = {
            chat_id
            for chat_id in world.chat_ids
            if is_member(world.chat(chat_id), user) and world.chat(chat_id).is_listed(user)
        }
        found = {state["conversation_id"] for state in listed}
        check(found == expected, "6 (members)", f"{user} finds {sorted(found)}, the model says {sorted(expected)}")


def only_members_see(world: World) -> None:
    """6: nothing was posted to anybody about a conversation, or a time, that is not theirs."""
    for user in world.people.users:
        device = next((one for one in world.people.of(user) if one.is_logged_in), None)
        for chat_id in world.chat_ids:
            if device is not None and not is_member(world.chat(chat_id), user):
                answer = world.rest(device, "GET", f"/conversations/{chat_id}/messages")
                check(answer.status == 404, "6 (members)", f"{user} reads {chat_id}: {answer.status}")
    for user, chat_id, seq in world.overheard:
        check(False, "6 (members)", f"{user} was told of {seq} in {chat_id}")


def a_revoked_login_has_stopped(world: World) -> None:
    """7: its token opens nothing, its connections are closed."""
    for device in world.people.devices:
        for session in device.revoked[-2:]:
            answer = world.rest(device, "GET", "/users/me", session=session)
            check(answer.status == 401, "7 (revoked logins stop)", f"{device.name}: REST answers {answer.status}")
    for socket in world.cell.sockets.values():
        is_revoked = any(int(socket.session) in device.revoked for device in world.people.of(socket.user))
        if is_revoked and socket.phase == "open":
            told = world.say_as(socket)
            check(told == "unauthenticated", "7 (revoked logins stop)", f"{socket} is answered {told}")


def a_dead_connection_harms_nobody(world: World) -> None:
    """8: who is connected is registered; and who missed a message live is on the offline path."""
    registered = {row[0] for row in world.observer.read(lambda tx: tx.query("SELECT connection_id FROM connections"))}
    for device in world.people.devices:
        socket = device.socket
        if socket is not None and socket.phase == "open" and int(socket.session) not in device.revoked:
            check(
                socket.connection_id in registered,
                "8 (dead connections)",
                f"the open connection of {device.user} {device.name} is not registered",
            )
    for chat_id, chat in world.ledger.chats.items():
        for message in chat.messages:
            _check_reached(world, chat_id, message.seq, "8 (dead connections)")


def _check_reached(world: World, chat_id: str, seq: int, promise: str) -> None:
    """Fail unless a message was taken for a device of each who may see it, or stands on the offline path.

    Who connected since has caught up: nobody needs to call them.
    """
    message = world.chat(chat_id).messages[seq - 1]
    for user, member in world.chat(chat_id).members.items():
        may_see = member.join_seq <= seq and (member.left_seq is None or seq < member.left_seq)
        came_back = world.last_opened.get(user, -1) >= world.ledger.stored_in[chat_id, seq]
        if may_see and user != message.sender and not came_back:
            is_reached = (user, chat_id, seq) in world.reached or (user, chat_id, seq) in world.offline()
            check(is_reached, promise, f"{seq} of {chat_id} reached no device of {user}, nor the offline path")


def refusals_are_told_rightly(world: World) -> None:
    """1: what devices were told of their commands is what the model says of them."""
    for name, code in world.refusals:
        codes = rejected_codes(world.ledger.verdicts[name])
        check(code in codes, "1 (nothing is lost)", f"{world.ledger.commands[name]}: told {code}, the model {codes}")


PROMISES: tuple[Callable[[World], None], ...] = (
    nothing_acknowledged_is_lost,
    refusals_are_told_rightly,
    everything_is_stored_once_in_one_order,
    who_is_connected_has_everything,
    receipts_have_come,
    unread_is_what_the_cursors_say,
    only_members_see,
    a_revoked_login_has_stopped,
    a_dead_connection_harms_nobody,
)
