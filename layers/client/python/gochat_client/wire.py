"""One user's WebSocket: sends frames and waits for those that must come."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import connect

from gochat_client.faults import StepFailedError

Frame = dict[str, Any]


class Wire:
    """An open WebSocket; keeps what came, so that frames may be waited for in any order."""

    def __init__(self, url: str, token: str, *, patience_s: float) -> None:
        self._patience_s = patience_s
        self._frames: list[Frame] = []
        try:
            self._connection = connect(
                url, additional_headers={"Authorization": f"Bearer {token}"}, open_timeout=patience_s
            )
        except (OSError, InvalidHandshake) as error:
            raise StepFailedError(
                f"{url} takes no connection: {error or type(error).__name__}.",
                advice="The authorizer's log, or that of the function behind $connect, says why.",
            ) from error

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def request(self, action: str, data: Frame) -> Frame:
        """Send a frame and give the data of its `ack`; StepFailedError for an error."""
        frame_id = uuid.uuid4().hex
        self._connection.send(json.dumps({"action": action, "id": frame_id, "data": data}))
        answer = self._wait(f"the answer to {action}", lambda frame: frame.get("id") == frame_id)
        if answer.get("event") != "ack":
            raise StepFailedError(f"{action} was refused: {answer.get('error')}.")
        return dict(answer.get("data") or {})

    def ping(self) -> None:
        """Send a heartbeat and wait for its answer, which no function gives."""
        self._connection.send(json.dumps({"action": "ping"}))
        self._wait("pong", lambda frame: frame.get("event") == "pong")

    def wait(self, event: str, wanted: Callable[[Frame], bool]) -> Frame:
        """Give the data of the first frame of an event that is wanted, past or to come."""
        found = self._wait(event, lambda frame: frame.get("event") == event and wanted(frame["data"]))
        return dict(found["data"])

    def _wait(self, what: str, wanted: Callable[[Frame], bool]) -> Frame:
        deadline = time.monotonic() + self._patience_s
        looked_at = 0
        while True:
            for frame in self._frames[looked_at:]:
                if wanted(frame):
                    return frame
            looked_at = len(self._frames)
            self._receive(what, deadline - time.monotonic())

    def _receive(self, what: str, within_s: float) -> None:
        try:
            self._frames.append(json.loads(self._connection.recv(timeout=max(within_s, 0))))
        except TimeoutError as error:
            raise StepFailedError(
                f"{what} did not come within {self._patience_s:.0f} s.",
                advice="docs/operations.md, “A message does not arrive”, goes through the hops one by one.",
            ) from error
        except WebSocketException as error:
            raise StepFailedError(f"the server closed the connection while {what} was waited for: {error}.") from error
