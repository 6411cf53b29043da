"""Speaks REST and WebSocket for one person's device, patiently: what is refused for now is asked again."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.soak.tally import Tally

PASSWORD = "correct horse battery"

ANSWER_S = 10.0
"""How long an answer is waited for, before the same is asked again."""

PATIENCE_S = 180.0
"""How long something is asked again before it counts as never answered: longer than any outage of a soak."""

PAUSE_S = 0.3

REFRESH_S = 600.0
"""Access tokens last 15 minutes."""

Frame = dict[str, Any]


class NeverAnsweredError(Exception):
    """Nothing answered for as long as anybody would wait."""


class Refused(Exception):
    """A frame was refused for good."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Line:
    """One device's doors; `hear` gets every frame that is no answer."""

    def __init__(self, http_url: str, username: str, device: str, tally: Tally, hear: Callable[[Frame], None]) -> None:
        self._http = httpx.AsyncClient(base_url=f"{http_url}/api/v1", timeout=35)
        self._username = username
        self._device = device
        self._tally = tally
        self._hear = hear
        self._url = ""
        self._logged_in_at_s = 0.0
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._socket: ClientConnection | None = None
        self.opened = 0

    async def register(self) -> None:
        """Make the account."""
        body = {"username": self._username, "password": PASSWORD}
        await self.call("POST", "/auth/register", body, takes=(201, 409))

    async def log_in(self) -> str:
        """Log in and return the user's id."""
        body = {"username": self._username, "password": PASSWORD, "device_id": self._device, "platform": "ios"}
        self._http.headers.pop("authorization", None)
        answer = (await self.call("POST", "/auth/login", body)).json()
        self._http.headers["authorization"] = f"Bearer {answer['access_token']}"
        self._url = answer["websocket_url"]
        self._logged_in_at_s = time.monotonic()
        return str(answer["user"]["user_id"])

    async def call(
        self, method: str, path: str, body: object = None, *, takes: tuple[int, ...] = (200, 201, 204)
    ) -> httpx.Response:
        """Send a request until it is answered with one of these statuses; raises Refused for what will never be."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                answer = await self._http.request(method, path, json=body)
            except httpx.TransportError as error:
                self._tally.retried[type(error).__name__] += 1
            else:
                if answer.status_code in takes:
                    return answer
                if answer.status_code == 401 and not path.startswith("/auth/"):
                    await self.log_in()
                elif answer.status_code < 500 and answer.status_code not in (408, 429):
                    raise Refused(str(answer.json().get("code", answer.status_code)))
                self._tally.retried[f"REST {answer.status_code}"] += 1
            await asyncio.sleep(PAUSE_S)
        raise NeverAnsweredError(f"{method} {path}")

    async def ask(self, action: str, data: Frame) -> tuple[Frame, bool]:
        """Send a frame until it is acknowledged; return the ack's data, and whether it was certainly sent once.

        Raises Refused for a refusal that is not for now.
        """
        deadline = time.monotonic() + PATIENCE_S
        attempts = 0
        while time.monotonic() < deadline:
            answer = await self._try(action, data)
            error = None if answer is None else answer.get("error")
            if answer is not None and answer.get("event") == "ack":
                return answer["data"], attempts == 0
            if error is not None and error["code"] == "rate_limited":
                self._tally.retried["rate_limited"] += 1
                await asyncio.sleep(error.get("retry_after_ms", 100) / 1000)
                continue
            if error is not None and not error["retryable"] and error["code"] != "unauthenticated":
                raise Refused(error["code"])
            attempts += 1
            self._tally.retried[error["code"] if error else "no answer"] += 1
            await asyncio.sleep(PAUSE_S)
        raise NeverAnsweredError(action)

    async def say(self, action: str, data: Frame) -> None:
        """Send a frame that nobody answers."""
        with contextlib.suppress(OSError, WebSocketException, NeverAnsweredError):
            await (await self.connected()).send(_frame(f"f{next(self._ids)}", action, data))

    async def connected(self) -> ClientConnection:
        """Return the open socket, a new one if need be."""
        deadline = time.monotonic() + PATIENCE_S
        while self._socket is None or self._socket.close_code is not None:
            if time.monotonic() > deadline:
                raise NeverAnsweredError("connect")
            if time.monotonic() > self._logged_in_at_s + REFRESH_S:
                await self.log_in()
            headers = {"Authorization": self._http.headers["authorization"]}
            try:
                self._socket = await connect(self._url, additional_headers=headers, open_timeout=15, ping_interval=None)
            except (OSError, WebSocketException, TimeoutError) as error:
                self._tally.retried[f"connect: {type(error).__name__}"] += 1
                await asyncio.sleep(PAUSE_S)
            else:
                self.opened += 1
                self._reader = asyncio.create_task(self._read(self._socket))
        return self._socket

    async def hang_up(self, *, politely: bool) -> None:
        """Close the socket, or tear it down without a word."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        if politely:
            await socket.close()
        else:
            socket.transport.abort()
        if self._reader is not None:
            await self._reader

    async def close(self) -> None:
        """Close everything."""
        await self.hang_up(politely=True)
        await self._http.aclose()

    async def _try(self, action: str, data: Frame) -> Frame | None:
        """Send a frame once; None when no answer came."""
        socket = await self.connected()
        name = f"f{next(self._ids)}"
        waiting = self._waiting[name] = asyncio.get_running_loop().create_future()
        try:
            await socket.send(_frame(name, action, data))
            return await asyncio.wait_for(waiting, ANSWER_S)
        except (OSError, WebSocketException, TimeoutError):
            return None
        finally:
            del self._waiting[name]

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(OSError, WebSocketException):
            async for text in socket:
                frame: Frame = json.loads(text)
                if frame.get("event") in ("ack", "error"):
                    waiting = self._waiting.get(frame["id"] or "")
                    if waiting is not None and not waiting.done():
                        waiting.set_result(frame)
                elif "event" in frame:
                    self._hear(frame)
                else:
                    self._give_up_waiting(OSError("the platform answered"))
        self._give_up_waiting(OSError("the connection is closed"))

    def _give_up_waiting(self, error: OSError) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)


def _frame(name: str, action: str, data: Frame) -> str:
    return json.dumps({"action": action, "id": name, "data": data}, ensure_ascii=False)
