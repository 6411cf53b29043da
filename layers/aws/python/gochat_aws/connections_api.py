"""Posts to WebSocket connections through API Gateway's `@connections`: many at once, each connection's in order."""

import heapq
import math
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Protocol

from gochat_aws.http_connection import Response
from gochat_aws.http_pool import MAX_CONNECTIONS, HttpPool, Job
from gochat_aws.sigv4 import (
    ConnectionsSigner,
    Credentials,
    Method,
    is_impossible_id,
    read_environment_credentials,
)

MAX_POST_BYTES = 131_072
"""Body of one post (API Gateway developer guide, "Quotas for WebSocket APIs": message payload 128 KB)."""

_FIRST_BACKOFF_S = 0.05
_LONGEST_BACKOFF_S = 2.0
_GONE_BACKOFF_S = 0.1
_TAKEN = range(200, 300)


class Outcome(Enum):
    """What became of one call."""

    DELIVERED = auto()
    """API Gateway took it (for a DELETE: the connection is being closed)."""
    GONE = auto()
    """The connection does not exist any more; nothing later can be sent to it."""
    RETRY_LATER = auto()
    """Throttled, failing or silent until the time was over; it may have been sent all the same."""
    TOO_LARGE = auto()
    """More than 128 KiB: it can never be sent."""
    TOO_LATE = auto()
    """Worth nothing any more when its turn came; not sent."""
    REFUSED = auto()
    """Any other refusal (403 for one): a fault of the deployment, not of the connection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request to one connection.

    `retry_gone_until_s` (wall clock, seconds since 1970): until then a 410 is tried again, since a connection answers
    410 while its `$connect` has not returned. `worthless_after_s` (likewise): from then on it is not sent.
    """

    connection_id: str
    method: Method = "POST"
    body: bytes = b""
    retry_gone_until_s: float = 0.0
    worthless_after_s: float = math.inf


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """The outcome of one call; `body` is what API Gateway said with it (of a GET: the connection's facts in JSON)."""

    outcome: Outcome
    body: bytes = b""
    at_ms: int = 0
    """When it was known, in milliseconds since 1970; 0 for what was never sent."""


class ConnectionsApi(Protocol):
    """Where posts go: API Gateway when deployed, memory in tests."""

    def send_all(self, calls: Sequence[Call], *, timeout_s: float) -> list[Reply]:
        """Make all calls and return their outcomes in the same order.

        Calls to one connection are made one after the other, in their order: after one that is GONE or RETRY_LATER the
        later ones share its outcome without being sent. Calls to different connections run at the same time. 429, 5xx
        and broken connections are tried again, with growing pauses, while the time lasts; what is worthless by then is
        passed over.
        """
        ...


class HttpConnectionsApi:
    """The `@connections` API of one stage over HTTP. Not safe for use by two threads."""

    def __init__(
        self,
        endpoint: str,
        *,
        region: str,
        credentials: Callable[[], Credentials] = read_environment_credentials,
        max_connections: int = MAX_CONNECTIONS,
        attempt_timeout_s: float = 5.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._region = region
        self._credentials = credentials
        self._pool = HttpPool(
            endpoint, max_connections=max_connections, attempt_timeout_s=attempt_timeout_s, context=context
        )

    @property
    def opened(self) -> int:
        """Return how many HTTP connections were ever opened."""
        return self._pool.opened

    def send_all(self, calls: Sequence[Call], *, timeout_s: float) -> list[Reply]:
        """See ConnectionsApi. Raises MissingCredentialsError."""
        signing = _Signing(endpoint=self._endpoint, region=self._region, credentials=self._credentials())
        chains = _Chains(calls, signing)
        self._pool.run(chains, deadline_s=time.monotonic() + timeout_s)
        return chains.replies()

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.close()


class _Signing:
    """Signs with the time of now; everything that one second's requests share is prepared once."""

    def __init__(self, *, endpoint: str, region: str, credentials: Credentials) -> None:
        self._endpoint = endpoint
        self._region = region
        self._credentials = credentials
        self._second = -1
        self._signer: ConnectionsSigner | None = None

    def write_request(self, call: Call) -> bytes:
        second = int(time.time())
        if self._signer is None or second != self._second:
            self._second = second
            self._signer = ConnectionsSigner(
                endpoint=self._endpoint, region=self._region, credentials=self._credentials, epoch_s=second
            )
        return self._signer.write_request(call.method, call.connection_id, call.body)


class _Chain:
    """The calls to one connection; its head is the one to make next."""

    __slots__ = ("attempts", "calls", "signing", "stale_retried")

    def __init__(self, signing: _Signing) -> None:
        self.calls: deque[tuple[int, Call]] = deque()
        self.attempts = 0
        self.stale_retried = False
        self.signing = signing

    def write_request(self) -> bytes:
        return self.signing.write_request(self.calls[0][1])


class _Chains:
    """The work of one `send_all`: which calls may start, which wait, and what became of each."""

    def __init__(self, calls: Sequence[Call], signing: _Signing) -> None:
        self._replies: list[Reply | None] = [None] * len(calls)
        chains: dict[str, _Chain] = {}
        for index, call in enumerate(calls):
            refusal = _refuse_unsent(call)
            if refusal is not None:
                self._replies[index] = Reply(outcome=refusal)
                continue
            chain = chains.get(call.connection_id)
            if chain is None:
                chain = chains[call.connection_id] = _Chain(signing)
            chain.calls.append((index, call))
        self._ready: deque[_Chain] = deque(chains.values())
        self._later: list[tuple[float, int, _Chain]] = []
        self._later_count = 0
        self._unfinished = len(chains)

    def replies(self) -> list[Reply]:
        """Return every reply; what has none was cut off by the deadline."""
        return [reply or Reply(outcome=Outcome.RETRY_LATER) for reply in self._replies]

    def take(self, now_s: float) -> Job | None:
        self._wake(now_s)
        while self._ready:
            chain = self._ready.popleft()
            if chain.calls[0][1].worthless_after_s > time.time():
                return chain
            self._settle_head(chain, Reply(outcome=Outcome.TOO_LATE))
        return None

    def waiting(self, now_s: float) -> int:
        self._wake(now_s)
        return len(self._ready)

    def next_due_s(self) -> float | None:
        return self._later[0][0] if self._later else None

    def is_done(self) -> bool:
        return self._unfinished == 0

    def put_back(self, job: Job) -> None:
        assert isinstance(job, _Chain)
        self._ready.appendleft(job)

    def completed(self, job: Job, response: Response, now_s: float) -> None:
        assert isinstance(job, _Chain)
        status = response.status
        if status in _TAKEN:
            self._settle_head(
                job, Reply(outcome=Outcome.DELIVERED, body=response.body, at_ms=time.time_ns() // 1_000_000)
            )
        elif status in (HTTPStatus.GONE, HTTPStatus.BAD_REQUEST):
            # 400 "Invalid connectionId" answers an id that this API can never have given.
            if status == HTTPStatus.GONE and time.time() < job.calls[0][1].retry_gone_until_s:
                self._postpone(job, now_s, _GONE_BACKOFF_S)
            else:
                self._settle_all(job, Reply(outcome=Outcome.GONE))
        elif status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._back_off(job, now_s)
        elif status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            self._settle_head(job, Reply(outcome=Outcome.TOO_LARGE, body=response.body))
        else:
            self._settle_head(job, Reply(outcome=Outcome.REFUSED, body=response.body))

    def broke(self, job: Job, reason: str, now_s: float) -> None:  # noqa: ARG002  # a reason helps nobody here
        assert isinstance(job, _Chain)
        self._back_off(job, now_s)

    def _back_off(self, chain: _Chain, now_s: float) -> None:
        """Let it wait a random part of a pause that doubles: those throttled together must not come back together."""
        chain.attempts += 1
        ceiling_s = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2**chain.attempts)
        self._postpone(chain, now_s, ceiling_s * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load, hides nothing

    def _postpone(self, chain: _Chain, now_s: float, pause_s: float) -> None:
        self._later_count += 1
        heapq.heappush(self._later, (now_s + pause_s, self._later_count, chain))

    def _wake(self, now_s: float) -> None:
        while self._later and self._later[0][0] <= now_s:
            self._ready.append(heapq.heappop(self._later)[2])

    def _settle_head(self, chain: _Chain, reply: Reply) -> None:
        index, _ = chain.calls.popleft()
        self._replies[index] = reply
        chain.attempts = 0
        chain.stale_retried = False
        if chain.calls:
            self._ready.append(chain)
        else:
            self._unfinished -= 1

    def _settle_all(self, chain: _Chain, reply: Reply) -> None:
        for index, _ in chain.calls:
            self._replies[index] = reply
        chain.calls.clear()
        self._unfinished -= 1


def _refuse_unsent(call: Call) -> Outcome | None:
    if len(call.body) > MAX_POST_BYTES:
        return Outcome.TOO_LARGE
    return Outcome.GONE if is_impossible_id(call.connection_id) else None


def count_outcomes(replies: Iterable[Reply]) -> dict[str, int]:
    """Return how many replies had each outcome, by its name in lower case, for one log line a batch."""
    counts: dict[str, int] = {}
    for reply in replies:
        name = reply.outcome.name.lower()
        counts[name] = counts.get(name, 0) + 1
    return counts
