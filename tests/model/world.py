"""A world of four people and their machines, with the reference model beside it."""

import contextlib
import copy
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from gateway.authorize.handler import Unauthorized
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.mysql import Transaction
from gochat_repo.mysql_errors import StatementFailed
from tests.fakes.http_api import HttpAnswer, HttpApi
from tests.model.cell import Frame, Socket
from tests.model.ledger import check
from tests.model.machines import NOTHING, Machines, Orders
from tests.model.people import ALICE, BOB, CAROL, DAVE, Device, People
from tests.model.reference import Chat, Command, Member, Verdict
from tests.model.roster import Roster
from tests.model.strikes import Died

__all__ = ["NOTHING", "Orders", "World"]

HANDSHAKE = {
    "methodArn": "arn:aws:execute-api:eu-west-1:000000000000:api/local/$connect",
    "requestContext": {"requestId": "request-1"},
}


class World(Machines):
    """What a walk goes through: everything that a person may do, beside all that machines do by themselves.

    `reached` names whom the platform took which message for, `overheard` what somebody was told who must not be,
    `refusals` what devices were told of which command, `last_opened` in which turn each user last connected, `former`
    the memberships that ended before the present one.
    """

    def __init__(self, environ: Mapping[str, str], secret: str) -> None:
        super().__init__(environ, secret)
        self.names = 0
        self._clear_up()
        self.people = People(self.observer, self.clock, secret)
        self.roster = Roster(self.observer)
        self.reached: set[tuple[str, str, int]] = set()
        self.overheard: list[tuple[str, str, object]] = []
        self.refusals: list[tuple[str, str]] = []
        self.former: dict[tuple[str, str], list[Member]] = defaultdict(list)
        self.last_opened: dict[str, int] = {}
        self._heard: set[tuple[str, str, int]] = set()
        self.chat_ids = self._open_chats()

    def _clear_up(self) -> None:
        """Empty every table, so that each walk has the same ids and with them the same partitions."""
        self._kill_connections()
        tables = (
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
            " AND table_type = 'BASE TABLE' AND table_name <> 'schema_migrations'"
        )
        for row in self.observer.read(lambda tx: tx.query(tables)):
            self.observer.transaction(partial(_empty, table=row[0]))

    def _kill_connections(self) -> None:
        """End all connections but the observer's: a fault that is kept for its trace keeps some of them open."""
        held = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        for row in self.observer.read(lambda tx: tx.query(held)):
            with contextlib.suppress(StatementFailed):  # it went by itself
                self.observer.transaction(partial(_kill, number=row[0]))

    def _open_chats(self) -> list[str]:
        """Single chats begin with their first message; the group is there, and Dave is no member of it yet."""
        users = self.people.users
        ids: list[str] = []
        for one, other in ((ALICE, BOB), (ALICE, CAROL), (CAROL, DAVE)):
            chat_id = single_conversation_id(UserId(int(users[one])), UserId(int(users[other])))
            self.ledger.chats[chat_id] = Chat(members={users[one]: Member(), users[other]: Member()})
            ids.append(chat_id)
        group = f"{1:032x}"
        members = [users[one] for one in (ALICE, BOB, CAROL)]
        self.roster.create(group, members, now_ms=self.clock.now_ms())
        self.ledger.chats[group] = Chat("group", True, {user: Member() for user in members})
        return [*ids, group]

    @contextmanager
    def running(self) -> Iterator["World"]:
        """Have the functions work on this world for the block."""
        with self.fleet.wired():
            try:
                yield self
            finally:
                self._kill_connections()
                self.observer.close()
                self.redis.close()

    def name(self) -> str:
        """Return an id for the next command."""
        self.names += 1
        return f"c{self.names}"

    def chat(self, chat_id: str) -> Chat:
        """Return a conversation of the model."""
        return self.ledger.chats[chat_id]

    def peer(self, chat_id: str, user: str) -> str | None:
        """Return the other one of a single chat; None for groups, and for whoever is not in it."""
        members = self.chat(chat_id).members
        if self.chat(chat_id).kind != "single" or user not in members:
            return None
        return next(one for one in members if one != user)

    def connect(self, device: Device, *, which: int = 0, orders: Orders = NOTHING) -> bool:
        """Open a WebSocket; return whether it is open."""
        authorization = {"Authorization": [f"Bearer {self.people.token(device)}"]}
        device.socket, device.is_live = None, False  # whoever opens another has given up the one before
        try:
            context = self.fleet.invoke("authorize", {**HANDSHAKE, "multiValueHeaders": authorization})["context"]
        except Unauthorized:
            return False
        socket = self.cell.open(device.user, device.name, str(device.session))
        socket.authorizer = context
        try:
            answer = self.fleet.invoke("websocket", socket.event("CONNECT"), which=which, orders=orders)
        except Died:
            answer = {"statusCode": 502}
        socket.phase = "open" if answer["statusCode"] == 200 else "closed"
        if socket.phase != "open":
            return False
        check(device.session not in device.revoked, "7 (revoked logins stop)", f"{device.name} shook hands")
        device.socket = socket
        self.last_opened[device.user] = self.ledger.turn
        return True

    def say(
        self, device: Device, action: str, data: dict[str, Any], *, which: int = 0, orders: Orders = NOTHING
    ) -> Frame | None:
        """Send a frame, and return what comes back at once; None when nothing of ours does."""
        socket = device.socket
        assert socket is not None
        command = Command(self.name(), action, device.user, data, self.clock.now_ms())
        self.ledger.note(command)
        if action == "message.send":
            device.phone.sends(data)
        if socket.phase == "limbo":
            return None
        body = json.dumps({"action": action, "id": command.id, "data": data}, ensure_ascii=False)
        try:
            answer = self.fleet.invoke("websocket", socket.event("MESSAGE", body=body), which=which, orders=orders)
        except Died:
            return None
        if not answer.get("body"):
            return None
        told: Frame = json.loads(answer["body"])
        if told["event"] == "ack":
            is_revoked = int(socket.session) in device.revoked
            check(not is_revoked, "7 (revoked logins stop)", f"a frame of {device.name} was taken")
            self.ledger.accepted.add(command.id)
        return told

    def rest(
        self,
        device: Device,
        method: str,
        path: str,
        body: object = None,
        *,
        session: int | None = None,
        which: int = 0,
        orders: Orders = NOTHING,
    ) -> HttpAnswer:
        """Send a request with the device's token; `orders` strike im-logic."""
        self.fleet.next_rpc, self.fleet.rpc_deaths = (which, orders), 0
        api = HttpApi(lambda event, context: self.fleet.invoke("http", event, which=which))
        # Without a look at the answer's form: other tests hold that, and it would take half of the time.
        return api.ask(method, path, body=body, token=self.people.token(device, session))

    def ask(
        self, device: Device, chat_id: str, command: Command, request: tuple[str, str, object], **how: Any
    ) -> HttpAnswer:
        """Send a mutating request, and hold its answer to the model's verdict."""
        self.ledger.note(command)
        answer = self.rest(device, *request, **how)
        is_known = answer.status < 500
        self.ledger.adopt(chat_id, [command], at_least=int(is_known))
        if is_known:
            verdict = self.ledger.verdicts[command.id][-1]
            check_answer(command, answer, verdict, was_repeated=self.fleet.rpc_deaths > 0)
        return answer

    def log_out(self, device: Device, *, which: int = 0, orders: Orders = NOTHING) -> None:
        """End a device's login, as far as anybody can tell."""
        answer = self.rest(device, "POST", "/auth/logout", {}, which=which, orders=orders)
        device.is_live = False
        device.is_leaving = answer.status >= 500
        if not device.is_leaving:
            check(answer.status in (204, 401), "7 (revoked logins stop)", f"log-out answered {answer.status}")
            device.revoked.append(device.session)

    def change_roster(self, action: str, user: str) -> None:
        """Let somebody join the group or leave it."""
        chat_id, now_ms = self.chat_ids[-1], self.clock.now_ms()
        command = Command(self.name(), action, user, {}, now_ms)
        self.ledger.note(command)
        if (member := self.chat(chat_id).members.get(user)) is not None and member.left_seq is not None:
            self.former[chat_id, user].append(copy.copy(member))
        (self.roster.join if action == "join" else self.roster.leave)(chat_id, user, now_ms=now_ms)
        self.ledger.adopt(chat_id, [command], at_least=1)

    def hear(self) -> None:
        """Let every device take the frames that came to its sockets, and take down who was told what."""
        for socket, frame in self.cell.posted:
            self._take_down(socket, frame)
        self.cell.posted.clear()
        devices = {(device.user, device.name): device for device in self.people.devices}
        for socket in self.cell.sockets.values():
            frames, socket.frames = socket.frames, []
            for frame in frames:
                devices[socket.user, socket.device].phone.hear(frame)

    def _take_down(self, socket: Socket, frame: Frame) -> None:
        event, data = frame["event"], frame["data"]
        if event == "message.new":
            for message in data["messages"]:
                self._take_down_message(socket, message)
        elif event == "message.stored":
            message = self.chat(data["conversation_id"]).messages[data["seq"] - 1]
            found = message.sender, message.client_msg_id
            check(found == (socket.user, data["client_msg_id"]), "2 (once)", f"{data}, but {found} is stored there")
        elif event == "message.rejected":
            named = [
                one.id
                for one in self.ledger.commands.values()
                if one.user == socket.user and one.data.get("client_msg_id") == data["client_msg_id"]
            ]
            if named:
                self.refusals.append((max(named, key=lambda one: data["code"] in self._codes(one)), data["code"]))
        elif event == "request.rejected":
            self.refusals.append((data["id"], data["code"]))
        elif "conversation_id" in data and socket.user not in self.chat(data["conversation_id"]).members:
            self.overheard.append((socket.user, data["conversation_id"], event))

    def _take_down_message(self, socket: Socket, message: Frame) -> None:
        chat_id, seq = message["conversation_id"], message["seq"]
        chat = self.chat(chat_id)
        held = [*self.former[chat_id, socket.user], chat.members.get(socket.user)]
        # What was announced to a member may arrive after it has left, and joined again.
        if not any(one and one.join_seq <= seq and (one.left_seq is None or seq < one.left_seq) for one in held):
            self.overheard.append((socket.user, chat_id, seq))
        place = socket.user, chat_id, seq
        key = socket.connection_id, chat_id, seq
        check(self.faults or key not in self._heard, "a frame comes once", f"{message} came twice to {socket}")
        self._heard.add(key)
        self.reached.add(place)

    def _codes(self, name: str) -> set[str | None]:
        return {verdict.code for verdict in self.ledger.verdicts[name]}


def _empty(tx: Transaction, table: str) -> None:
    tx.execute(f"DELETE FROM `{table}`")


def _kill(tx: Transaction, number: int) -> None:
    tx.execute("KILL %s", (number,))


def check_answer(command: Command, answer: HttpAnswer, verdict: Verdict, *, was_repeated: bool = False) -> None:
    """Hold the answer to a request to what the model says.

    The REST door repeats a call whose container died: what that one had stored is known already then.
    """
    if verdict.code is not None:
        told = answer.code if answer.status >= 400 else str(answer.status)
        check(told == verdict.code, "6 or 2", f"{command} -> {told}, not {verdict.code}")
        return
    check(answer.status < 300, "1 or 6", f"{command} -> {answer.status} {answer.text}, not {verdict}")
    if command.action == "message.send":
        found = answer.json["message"]["seq"], answer.status == 201
        expected = {(verdict.seq, verdict.is_new), (verdict.seq, verdict.is_new and not was_repeated)}
        check(found in expected, "2 (once)", f"{command} -> {found}, not {verdict}")
