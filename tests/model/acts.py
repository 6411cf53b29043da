"""What can happen in a walk: each act takes four numbers, which mean something whatever happened before."""

import contextvars
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http_api import HttpAnswer
from tests.model.ledger import check
from tests.model.people import Device
from tests.model.reference import Command
from tests.model.strikes import Store, die, refuse
from tests.model.syncing import sync
from tests.model.views import is_member
from tests.model.world import Orders, World, check_answer

EMOJI = ("👍", "❤️", "🎉", "🙈")
MAX = 1_000
"""Numbers of a step lie below this."""

STRUCK = 850
"""A fourth number from here on strikes the function at work."""

RIVAL_WAITS_S = 0.02
"""So long one of two that run at once is given to come to where it must wait; it makes no difference to the verdict."""

Act = Callable[["Walker", int, int, int, int], None]
ACTS: dict[str, tuple[int, bool, Act]] = {}
"""Each act with how often it is drawn, and whether it is a fault, which some walks do without."""


def act(weight: int, *, fault: bool = False) -> Callable[[Act], Act]:
    """Enter an act into the list."""

    def enter(function: Act) -> Act:
        ACTS[function.__name__] = weight, fault, function
        return function

    return enter


@dataclass
class Walker:
    """Does the steps of a walk to a world."""

    world: World
    sends: list[Command] = field(default_factory=list)
    latest_ms: int = 0  # that a clock has shown

    def device(self, number: int) -> Device:
        """Return one of the devices."""
        return self.world.people.devices[number % len(self.world.people.devices)]

    def online(self, number: int) -> Device | None:
        """Return one of the devices that is, or can be, connected."""
        device = self.device(number)
        if not device.is_connected and (not device.is_logged_in or not self.world.connect(device)):
            return None
        return device

    def chat_id(self, number: int) -> str:
        """Return one of the conversations."""
        return self.world.chat_ids[number % len(self.world.chat_ids)]

    def orders(self, number: int, places: int, *, alone: bool = False) -> Orders:
        """Return where and how a function is struck, mostly not at all.

        `alone` is for functions that lock rows of logins or connections: in one thread nobody else may want those then.
        """
        if number < STRUCK:
            return {}
        self.world.faults += 1
        kinds = (die, refuse, self._delay) if alone else (die, refuse, self._delay, die, *2 * [self._meanwhile(number)])
        return {1 + (number - STRUCK) % places: kinds[number % len(kinds)]}

    def _meanwhile(self, number: int) -> Callable[[Store], None]:
        """Have another device connect, if it is not, and catch up while a function is at work."""

        def catch_up(store: Store) -> None:
            device = self.device(number)
            if not device.is_logged_in:
                return
            if number % 2 or not device.is_connected:
                self.world.connect(device, which=1)
            sync(self.world, device, which=1, alone=False)

        # In a context of its own: a container keeps the caller of the one request that it works on in a variable.
        return lambda store: contextvars.copy_context().run(catch_up, store)

    def _delay(self, store: Store) -> None:
        """Let a function take five seconds here, while a device looks and sees the state of before."""
        self.world.clock.advance_ms(5_000)


def message(walker: Walker, device: Device, chat_id: str, variant: int) -> dict[str, Any]:
    """Return the data of a new `message.send`."""
    world = walker.world
    peer = world.peer(chat_id, device.user)
    target = {"to": peer} if peer is not None and variant % 3 else {"conversation_id": chat_id}
    data: dict[str, Any] = {
        **target,
        "client_msg_id": f"m-{world.name()}",
        "type": "text",
        "content": {"text": f"text {variant} 😀"},
    }
    if variant % 11 == 0:
        data["reply_to_seq"] = 1 + variant % (world.chat(chat_id).last_seq + 2)
    if variant % 13 == 0:
        data["mentions"] = [world.people.users[0]]
    if variant % 17 == 0:
        data |= {"type": "location", "content": {"latitude": variant / 100, "longitude": 7.5}}
    return data


def remember(walker: Walker, device: Device, chat_id: str, data: dict[str, Any]) -> None:
    walker.sends = [*walker.sends[-30:], Command(chat_id, "message.send", device.user, data, 0)]


@act(30)
def send(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    if (device := walker.online(a)) is not None:
        data = message(walker, device, walker.chat_id(b), c)
        remember(walker, device, walker.chat_id(b), data)
        walker.world.say(device, "message.send", data, which=c, orders=walker.orders(d, 6))


@act(9)
def send_again(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Repeat an earlier message from any device of its sender; now and then with other content under its id."""
    if not walker.sends:
        return
    earlier = walker.sends[-1 - b % len(walker.sends)]
    own = walker.world.people.of(earlier.user)
    device = own[a % len(own)]
    data = dict(earlier.data)
    if c % 7 == 0:
        data["content"] = {"text": "something else"} if data["type"] == "text" else {"latitude": 0, "longitude": 0}
    if c % 2:
        rest_message(walker, device, earlier.id, data, c, d)
    elif (found := walker.online(walker.world.people.devices.index(device))) is not None:
        walker.world.say(found, "message.send", data, which=c, orders=walker.orders(d, 6))


@act(10)
def rest_send(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    device, chat_id = walker.device(a), walker.chat_id(b)
    if device.is_logged_in:
        data = message(walker, device, chat_id, c)
        data.pop("to", None)
        remember(walker, device, chat_id, data)
        rest_message(walker, device, chat_id, data, c, d)


def rest_message(walker: Walker, device: Device, chat_id: str, data: dict[str, Any], c: int, d: int) -> None:
    if not device.is_logged_in:
        return
    body = {key: value for key, value in data.items() if key not in ("to", "conversation_id")}
    command = Command(walker.world.name(), "message.send", device.user, body, walker.world.clock.now_ms())
    request = ("POST", f"/conversations/{chat_id}/messages", body)
    walker.world.ask(device, chat_id, command, request, which=c, orders=walker.orders(d, 26))


@act(8)
def mark(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    if (device := walker.online(a)) is not None:
        seq = 1 + c % (walker.world.chat(walker.chat_id(b)).last_seq + 3)
        action = "message.read" if d % 3 else "message.delivered"
        data = {"conversation_id": walker.chat_id(b), "seq": seq}
        walker.world.say(device, action, data, which=c, orders=walker.orders(d, 6))


@act(3)
def rest_read(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    device, chat_id = walker.device(a), walker.chat_id(b)
    if not device.is_logged_in:
        return
    world = walker.world
    body = {"seq": 1 + c % (world.chat(chat_id).last_seq + 3)}
    command = Command(world.name(), "message.read", device.user, body, world.clock.now_ms())
    request = ("POST", f"/conversations/{chat_id}/read", body)
    answer = world.ask(device, chat_id, command, request, which=c, orders=walker.orders(d, 26))
    if answer.status == 200:
        unread = world.chat(chat_id).unread(device.user)
        check(answer.json["unread_count"] == unread, "5 (unread)", f"{answer.json}, the model says {unread}")


@act(10)
def mutate(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Recall, edit, react, take a reaction back: mostly a recent message, now and then one that is none."""
    if (device := walker.online(a)) is None:
        return
    chat_id = walker.chat_id(b)
    last_seq = walker.world.chat(chat_id).last_seq
    seq = max(1, last_seq + 1 - c % 8)
    action = ("message.recall", "message.edit", "reaction.add", "reaction.add", "reaction.remove")[d % 5]
    data: dict[str, Any] = {"conversation_id": chat_id, "seq": seq}
    if action == "message.edit":
        data["content"] = {"text": f"edited {c}"}
    elif action != "message.recall":
        data["emoji"] = EMOJI[(c + d) % len(EMOJI)]
    walker.world.say(device, action, data, which=c, orders=walker.orders(d, 6))


@act(1)
def show_typing(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    if (device := walker.online(a)) is not None:
        walker.world.say(device, "typing", {"conversation_id": walker.chat_id(b)}, which=c)


@act(2)
def hide(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Hide a conversation, or open it again."""
    device, chat_id, world = walker.device(a), walker.chat_id(b), walker.world
    if not device.is_logged_in:
        return
    name, now_ms = world.name(), world.clock.now_ms()
    peer = world.peer(chat_id, device.user)
    if c % 2 and peer is not None:
        body = {"type": "single", "member_ids": [peer]}
        command = Command(name, "open", device.user, {}, now_ms)
        request: tuple[str, str, object] = ("POST", "/conversations/create", body)
    else:
        command = Command(name, "hide", device.user, {}, now_ms)
        request = ("DELETE", f"/conversations/{chat_id}", None)
    world.ask(device, chat_id, command, request, which=c, orders=walker.orders(d, 26))


@act(1)
def join_or_leave(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Let somebody join the group or leave it; one day it becomes large, and whatever held of it still holds."""
    world = walker.world
    if d % 3 == 0:
        world.roster.grow(world.chat_ids[-1])
    user = world.people.users[a % 4]
    world.change_roster("leave" if is_member(world.chat(world.chat_ids[-1]), user) else "join", user)


def _bring(walker: Walker, mapping: str, a: int, b: int, c: int, orders: Orders) -> None:
    partitions = ((0,), (1,), (0, 1))[a % 3]
    walker.world.pump(mapping, partitions, 1 + b % 12, which=c, only_failed=bool(c % 3), orders=orders)


@act(12)
def upstream(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    _bring(walker, "upstream", a, b, c, walker.orders(d, 26))


@act(10)
def deliver(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    _bring(walker, "deliver", a, b, c, walker.orders(d, 5))
    walker.world.hear()


@act(5)
def worker(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    _bring(walker, "worker", a, b, c, walker.orders(d, 12))


@act(5)
def bulk(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    _bring(walker, "bulk", a, b, c, walker.orders(d, 5))
    walker.world.hear()


@act(3)
def report(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Run what `deliver` handed to `websocket`; Lambda may run it twice."""
    walker.world.report(a, twice=c % 9 == 0, which=c, orders=walker.orders(d, 12, alone=True))


@act(3, fault=True)
def race(walker: Walker, a: int, b: int, c: int, d: int) -> None:
    """Send over REST while a batch of the same conversation is being applied: one of the two waits for the other."""
    device, chat_id, world = walker.device(a), walker.chat_id(b), walker.world
    if not device.is_logged_in:
        return
    body = message(walker, device, chat_id, c)
    body = {key: value for key, value in body.items() if key not in ("to", "conversation_id")}
    command = Command(world.name(), "message.send", device.user, body, world.clock.now_ms())
    answers: list[HttpAnswer] = []
    request = "POST", f"/conversations/{chat_id}/messages", body
    rival = threading.Thread(target=lambda: answers.append(world.rest(device, *request, which=1)))

    def begin(store: Store) -> None:
        world.ledger.note(command)
        world.beside[chat_id] = command
        rival.start()
        rival.join(RIVAL_WAITS_S)

    def wait() -> None:
        if rival.ident is not None:
            rival.join()

    world.pump("upstream", (0, 1), 12, orders={1 + d % 16: begin}, then=wait)
    world.beside.clear()
    if answers and answers[0].status < 500:
        is_refused = answers[0].status >= 400
        if not (is_refused and answers[0].code in world.ledger.codes_beside):
            check_answer(command, answers[0], world.ledger.verdicts[command.id][-1])
