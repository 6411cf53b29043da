"""A GoChat client for one conversation: sends, receives live, reconnects, fetches gaps; it draws nothing itself.

Written from the public contract alone, so that it is also a check of it: it knows no code of the servers.
"""

import asyncio
import contextlib
import dataclasses
import json
import math
import random
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from dev_cli.chat import frames, happenings, typed
from dev_cli.chat.gateways import UNAUTHORIZED, leave_unreachable_gateway
from dev_cli.chat.outbox import Outbox
from dev_cli.chat.rest import Login, Refused, RestClient
from dev_cli.chat.timeline import ChatMessage, Timeline

# After these the contract tells a client not to come back.
_FINAL_EVENTS = {"session.revoked": "this login was revoked", "session.replaced": "this device connected elsewhere"}
_FIRST_RETRY_S = 0.2
_LONGEST_RETRY_S = 10.0
_TICK_S = 1.0
_TYPING_EVERY_S = 3.0
_DEFAULT_PING_S = 60.0


class Ended(Exception):
    """The server ended this login; the client must not come back."""


class ChatClient:
    """Speak for one user in one conversation; `show` is given messages in order, `tell` remarks on all else.

    `names` are those of its members, by user id.
    """

    def __init__(
        self,
        rest: RestClient,
        *,
        login: Login,
        conversation_id: str,
        show: Callable[[ChatMessage], None],
        tell: Callable[[str], None],
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._rest = rest
        self._login = login
        self._conversation_id = conversation_id
        self._show = show
        self._tell = tell
        self._names = names or {}
        self._peer = happenings.PeerStatus(next((n for who, n in self._names.items() if who != login.user_id), "peer"))
        self._requests: list[str] = []
        self._typing_told_at_s = -math.inf
        self._timeline = Timeline()
        self._outbox = Outbox(lambda: uuid.uuid4().hex)
        self._wake = asyncio.Event()
        self._ping_s = _DEFAULT_PING_S
        self._fetching = asyncio.Lock()

    @property
    def idle(self) -> bool:
        """Whether everything that was typed is stored or refused."""
        return not self._outbox.unstored

    @property
    def status(self) -> str:
        """What the peer does and how far it is, in a few words."""
        return self._peer.line(time.monotonic())

    def send(self, text: str) -> None:
        """Take a text to send; it goes out as soon as its turn comes, over this connection or the next."""
        self._outbox.compose(text, time.monotonic())
        self._wake.set()

    def enter(self, line: str) -> None:
        """Take a typed line: a text to send, or what a command asks for."""
        try:
            wanted = typed.read_line(line)
        except typed.UnknownCommandError as unknown:
            self._tell(str(unknown))
            return
        if isinstance(wanted, str):
            self.send(wanted)
        else:
            self._requests.append(frames.request(self._conversation_id, wanted.action, wanted.data))
            self._wake.set()

    def note_typing(self) -> None:
        """Tell the peer that a line is being typed, every few seconds while it is."""
        if not self._requests and time.monotonic() - self._typing_told_at_s >= _TYPING_EVERY_S:
            self._typing_told_at_s = time.monotonic()
            self._requests.append(frames.request(self._conversation_id, "typing", {}))
            self._wake.set()

    async def run(self) -> None:
        """Stay connected until cancelled; Ended if the server ended the login."""
        retry_s = _FIRST_RETRY_S
        while True:
            began = time.monotonic()
            try:
                await self._run_connection()
                self._tell("disconnected by the server, trying again")
            except (OSError, ConnectionClosed, InvalidHandshake, httpx.HTTPError, Refused) as failure:
                await self._recover_login(failure)
                self._login = await leave_unreachable_gateway(self._rest, self._login, failure)
                self._tell(f"disconnected ({frames.reason(failure)}), trying again")
            finally:
                self._outbox.on_disconnect(time.monotonic())
            if time.monotonic() - began > _LONGEST_RETRY_S:
                retry_s = _FIRST_RETRY_S
            # Jitter keeps clients that one outage cut from coming back in one instant.
            await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
            retry_s = min(retry_s * 2, _LONGEST_RETRY_S)

    async def _recover_login(self, failure: Exception) -> None:
        if isinstance(failure, InvalidStatus) and failure.response.status_code in UNAUTHORIZED:
            try:
                self._login = await self._rest.refresh()
            except Refused as refused:
                raise Ended(f"this login is over ({refused.code})") from refused

    async def _run_connection(self) -> None:
        headers = {"Authorization": f"Bearer {self._login.access_token}"}
        async with connect(self._login.websocket_url, additional_headers=headers, max_size=None) as connection:
            try:
                # Listen first, then fetch: what is stored in between comes one way or the other.
                await _run_until_first_ends(
                    self._keep_receiving(connection),
                    self._keep_sending(connection),
                    self._keep_pinging(connection),
                    self._keep_marking_read(),
                    self._catch_up(),
                )
            finally:
                # Left to `connect`, a user who leaves would look like a client that broke (1011).
                await connection.close()

    async def _keep_receiving(self, connection: ClientConnection) -> None:
        async for frame in connection:
            self._on_frame(json.loads(frame))

    async def _keep_sending(self, connection: ClientConnection) -> None:
        await connection.send(frames.hello())
        while True:
            now_s = time.monotonic()
            self._outbox.requeue_overdue(now_s)
            while draft := self._outbox.take_next(now_s):
                await connection.send(frames.send_text(self._conversation_id, draft))
            while self._requests:
                await connection.send(self._requests.pop(0))
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._wake.wait()
            self._wake.clear()

    async def _keep_pinging(self, connection: ClientConnection) -> None:
        while True:
            await asyncio.sleep(self._ping_s)
            await connection.send(frames.ping())

    async def _keep_marking_read(self) -> None:
        marked = 0
        while True:
            await asyncio.sleep(_TICK_S)
            if self._timeline.last_shown > marked:
                marked = self._timeline.last_shown
                await self._rest.mark_read(self._conversation_id, marked)

    async def _catch_up(self) -> None:
        """Show what is stored and not yet shown: the latest page at first, later everything after the last shown."""
        async with self._fetching:
            first = not self._timeline.begun
            more = True
            while more:
                after = None if first else self._timeline.last_shown
                page, more = await self._rest.list_messages(self._conversation_id, after_seq=after)
                messages = [frames.to_message(message) for message in page]
                if first:
                    self._emit(self._timeline.begin_after(messages[0].seq - 1 if messages else 0))
                    first, more = False, False
                self._emit(self._timeline.add(messages))

    def _on_frame(self, frame: dict[str, Any]) -> None:
        event, data = frame.get("event"), frame.get("data") or {}
        if event == "ack":
            self._on_ack(frame, data)
        elif event == "error":
            self._on_error(frame)
        elif event == "message.stored":
            self._on_stored(data)
        elif event == "message.rejected":
            self._on_refused(str(data.get("client_msg_id")), str(data.get("code")))
        elif event == "message.new":
            own = [message for message in data["messages"] if message["conversation_id"] == self._conversation_id]
            if own:
                self._peer.on_message()
            self._take(frames.to_message(message) for message in own)
        elif event == "request.rejected":
            self._tell(f"refused ({data.get('code')})")
        elif event == "session.moved":
            # This connection is closed next, and the loop connects again.
            self._login = dataclasses.replace(self._login, websocket_url=str(data["websocket_url"]))
        elif event in _FINAL_EVENTS:
            raise Ended(_FINAL_EVENTS[event])
        elif data.get("conversation_id") == self._conversation_id:
            self._on_happening(str(event), data)
        self._wake.set()

    def _on_happening(self, event: str, data: dict[str, Any]) -> None:
        actor = str(data.get("user_id") or data.get("sender_id"))
        if event == "typing":
            self._peer.on_typing(time.monotonic())
        elif event == "receipt" and actor != self._login.user_id:
            self._peer.on_receipt(data)
        elif remark := happenings.describe(event, data, actor=self._names.get(actor, actor)):
            self._tell(remark)

    def _on_ack(self, frame: dict[str, Any], data: dict[str, Any]) -> None:
        if frame.get("id") == frames.HELLO_ID:
            self._ping_s = float(data.get("ping_interval_s", _DEFAULT_PING_S))
            self._tell(f"connected as device {data.get('device_id')}")
        else:
            self._outbox.on_ack(str(data.get("client_msg_id")), time.monotonic())

    def _on_error(self, frame: dict[str, Any]) -> None:
        error = frame.get("error") or {}
        if error.get("retryable"):
            self._outbox.on_retryable_error(str(frame.get("id")), time.monotonic())
        else:
            self._on_refused(str(frame.get("id")), str(error.get("code")))

    def _on_stored(self, data: dict[str, Any]) -> None:
        draft = self._outbox.on_settled(str(data["client_msg_id"]))
        if draft is None or data["conversation_id"] != self._conversation_id:
            return
        latency_ms = (time.monotonic() - draft.composed_at_s) * 1000
        message = frames.stored_message(data, draft, sender_id=self._login.user_id, latency_ms=latency_ms)
        self._take([message])

    def _on_refused(self, client_msg_id: str, code: str) -> None:
        draft = self._outbox.on_settled(client_msg_id)
        self._tell(f"refused ({code}): {draft.text}" if draft else f"refused ({code})")

    def _take(self, messages: Iterable[ChatMessage]) -> None:
        self._emit(self._timeline.add(messages))
        if self._timeline.gap_after() is not None and not self._fetching.locked():
            self._gap_fetch = asyncio.create_task(self._fetch_gap())

    async def _fetch_gap(self) -> None:
        # A message that overtook another one closes its gap by itself within moments: that costs no request.
        await asyncio.sleep(frames.GAP_PATIENCE_S)
        if self._timeline.gap_after() is not None:
            try:
                await self._catch_up()
            except (httpx.HTTPError, Refused) as failure:
                self._tell(f"a gap could not be fetched ({frames.reason(failure)}), trying again")

    def _emit(self, messages: list[ChatMessage]) -> None:
        for message in messages:
            self._show(message)


async def _run_until_first_ends(main: Coroutine[Any, Any, None], *beside: Coroutine[Any, Any, None]) -> None:
    """Run coroutines together until the first one ends or another one fails; then end the others, raise the failure.

    A closed connection fails whoever writes to it at once; the first coroutine, which reads, still gets what came
    before the end, and that may say why it ended.
    """
    main_task = asyncio.create_task(main)
    tasks = {main_task, *(asyncio.create_task(each) for each in beside)}
    try:
        while not main_task.done() and not any(_has_failed(task) for task in tasks):
            await asyncio.wait([task for task in tasks if not task.done()], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in (main_task, *tasks):
        if not task.cancelled():
            task.result()


def _has_failed(task: asyncio.Task[None]) -> bool:
    if not task.done() or task.cancelled():
        return False
    failure = task.exception()
    return failure is not None and not isinstance(failure, ConnectionClosed)
