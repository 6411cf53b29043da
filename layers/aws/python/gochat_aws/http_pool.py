"""A bounded pool of kept-alive HTTP connections to one endpoint, driving many exchanges at once in one thread."""

import math
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from gochat_aws.http_connection import Address, BrokenConnectionError, HttpConnection, Response, State

MAX_CONNECTIONS = 256
_CONNECT_TIMEOUT_S = 3.0
_ATTEMPT_TIMEOUT_S = 5.0
_IDLE_LIMIT_S = 50.0
"""Load balancers commonly close after 60 s; while a container is frozen it can't see that."""

_HANDSHAKE_FORGOTTEN_S = 1.0
_ADDRESSES_KEPT_S = 60.0
_REOPEN_AFTER_S = 0.1
_HANDSHAKE_COST_S = {"https": 0.0012, "http": 0.0002}
"""Time of this thread that a new connection takes (measured: TLS 1.05 to 1.3 ms)."""

_FIRST_LATENCY_S = 0.010
_LONGEST_WAIT_S = 0.25


class Job(Protocol):
    """One exchange to be made."""

    stale_retried: bool
    """Set by the pool when it sent the request again because a kept connection turned out to be closed."""

    def write_request(self) -> bytes:
        """Return the whole request as it goes on the wire; called anew for each attempt."""
        ...


class Work(Protocol):
    """What the pool asks for jobs and tells their outcome; called from the pool's loop."""

    def take(self, now_s: float) -> Job | None:
        """Return the next job that may start now."""
        ...

    def waiting(self, now_s: float) -> int:
        """Return how many jobs could start now."""
        ...

    def next_due_s(self) -> float | None:
        """Return when a job that waits for its time may start; None when none does."""
        ...

    def is_done(self) -> bool:
        """Tell whether every job has its outcome."""
        ...

    def put_back(self, job: Job) -> None:
        """Take a job back that has not run: it may start again at once."""
        ...

    def completed(self, job: Job, response: Response, now_s: float) -> None:
        """Take the response to a job."""
        ...

    def broke(self, job: Job, reason: str, now_s: float) -> None:
        """Take note that a job has no response; whether the request arrived is not known."""
        ...


class HttpPool:
    """Keeps its connections from one `run` to the next. Not safe for use by two threads."""

    def __init__(
        self,
        endpoint: str,
        *,
        max_connections: int = MAX_CONNECTIONS,
        attempt_timeout_s: float = _ATTEMPT_TIMEOUT_S,
        context: ssl.SSLContext | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(endpoint)
        self._scheme = parts.scheme
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._context = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._max_connections = max_connections
        self._attempt_timeout_s = attempt_timeout_s
        self._monotonic_s = monotonic_s
        self._selector = selectors.DefaultSelector()
        self._idle: list[HttpConnection] = []
        self._opening: set[HttpConnection] = set()
        self._busy: dict[HttpConnection, Job] = {}
        self._addresses: list[Address] = []
        self._addresses_at_s = -math.inf
        self._opened = 0
        self._reopen_at_s = -math.inf
        self._latency_s = _FIRST_LATENCY_S
        self._began_at_s = -math.inf
        self._check_overdue_at_s = -math.inf

    @property
    def opened(self) -> int:
        """Return how many connections were ever opened."""
        return self._opened

    def run(self, work: Work, *, deadline_s: float) -> None:
        """Make the exchanges until all are done or the (monotonic) deadline; what is under way then is cut off."""
        self._began_at_s = self._monotonic_s()
        self._look_over(self._began_at_s)
        while not work.is_done():
            now_s = self._monotonic_s()
            if now_s >= deadline_s:
                break
            self._start_jobs(work, now_s)
            for key, _ in self._selector.select(self._patience_s(work, now_s, deadline_s)):
                self._advance(key.data, work)
            self._cut_off_overdue(work)
        for connection in list(self._busy):
            self._forget(connection)

    def close(self) -> None:
        """Close all connections; the pool stays usable."""
        for connection in [*self._idle, *self._busy, *self._opening]:
            self._forget(connection)

    def _start_jobs(self, work: Work, now_s: float) -> None:
        while self._idle:
            job = work.take(now_s)
            if job is None:
                return
            self._start(self._idle.pop(), job, work, now_s)
        waiting = work.waiting(now_s)
        if waiting and now_s >= self._reopen_at_s:
            missing = self._wanted(waiting + len(self._busy)) - len(self._busy) - len(self._opening)
            for _ in range(missing):
                if not self._open(now_s):
                    break

    def _wanted(self, exchanges: int) -> int:
        """Return how many connections finish so many exchanges soonest.

        More of them wait at once for answers, but each costs a handshake first: the sum of c handshakes and of n/c
        latencies is least at the root of n x latency / handshake.
        """
        best = math.ceil(math.sqrt(exchanges * self._latency_s / _HANDSHAKE_COST_S[self._scheme]))
        return min(best, exchanges, self._max_connections)

    def _start(self, connection: HttpConnection, job: Job, work: Work, now_s: float) -> None:
        self._busy[connection] = job
        try:
            connection.send(job.write_request(), now_s)
        except BrokenConnectionError as error:
            self._lost(connection, error, work, now_s)

    def _advance(self, connection: HttpConnection, work: Work) -> None:
        if connection.state is State.CLOSED:
            return
        now_s = self._monotonic_s()
        began_s = connection.since_s
        try:
            response = connection.advance(now_s)
        except BrokenConnectionError as error:
            self._lost(connection, error, work, now_s)
            return
        if response is not None:
            self._note_latency(now_s - began_s)
            job = self._busy.pop(connection)
            if response.keep:
                self._idle.append(connection)
            else:
                connection.close()
            work.completed(job, response, now_s)
        else:
            self._note_opened(connection)
        if connection.state is State.IDLE and self._idle and self._idle[-1] is connection:
            next_job = work.take(now_s)
            if next_job is not None:
                self._start(self._idle.pop(), next_job, work, now_s)

    def _note_latency(self, sample_s: float) -> None:
        """Follow the least latency: the rest is waiting for each other, which more connections would only lengthen."""
        self._latency_s += (1.0 if sample_s < self._latency_s else 0.001) * (sample_s - self._latency_s)

    def _note_opened(self, connection: HttpConnection) -> None:
        if connection.state is State.IDLE and connection in self._opening:
            self._opening.discard(connection)
            self._idle.append(connection)

    def _lost(self, connection: HttpConnection, error: BrokenConnectionError, work: Work, now_s: float) -> None:
        job = self._busy.get(connection)
        was_opening = connection in self._opening
        self._forget(connection)
        if was_opening:
            # The next try is not at once, and goes where the name leads then.
            self._reopen_at_s = now_s + _REOPEN_AFTER_S
            self._addresses_at_s = -math.inf
        if job is None:
            return
        if error.untouched and not job.stale_retried:
            # The far end closed it while it lay idle, so those that lay there as long are no better.
            job.stale_retried = True
            for other in [c for c in self._idle if c.since_s < self._began_at_s]:
                self._forget(other)
            work.put_back(job)
        else:
            work.broke(job, str(error), now_s)

    def _open(self, now_s: float) -> bool:
        try:
            if not self._addresses or now_s - self._addresses_at_s > _ADDRESSES_KEPT_S:
                found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                self._addresses = [Address(family=info[0], sockaddr=info[4]) for info in found]  # type: ignore[arg-type]
                self._addresses_at_s = now_s
            connection = HttpConnection(
                self._selector,
                self._addresses[self._opened % len(self._addresses)],
                context=self._context,
                server_hostname=self._host,
                now_s=now_s,
            )
        except OSError:
            self._reopen_at_s = now_s + _REOPEN_AFTER_S
            return False
        self._opened += 1
        self._opening.add(connection)
        return True

    def _patience_s(self, work: Work, now_s: float, deadline_s: float) -> float:
        until_s = min(deadline_s, now_s + _LONGEST_WAIT_S)
        due_s = work.next_due_s()
        if due_s is not None:
            until_s = min(until_s, due_s)
        if self._reopen_at_s > now_s and work.waiting(now_s):
            until_s = min(until_s, self._reopen_at_s)
        return max(0.0, until_s - now_s)

    def _cut_off_overdue(self, work: Work) -> None:
        now_s = self._monotonic_s()
        if now_s < self._check_overdue_at_s:
            return
        self._check_overdue_at_s = now_s + _LONGEST_WAIT_S
        overdue = [c for c in self._opening if now_s - c.since_s > _CONNECT_TIMEOUT_S]
        overdue += [c for c in self._busy if now_s - c.since_s > self._attempt_timeout_s]
        for connection in overdue:
            self._lost(connection, BrokenConnectionError("no answer in time"), work, now_s)

    def _look_over(self, now_s: float) -> None:
        """Drop what broke or grew old since the last run."""
        for key, _ in self._selector.select(0):
            connection: HttpConnection = key.data
            try:
                connection.advance(now_s)
            except BrokenConnectionError:
                self._forget(connection)
            else:
                self._note_opened(connection)
        stale = [c for c in self._idle if now_s - c.since_s > _IDLE_LIMIT_S]
        # Begun by an earlier run that did not need it: a handshake does not outlive a freeze.
        stale += [c for c in self._opening if now_s - c.since_s > _HANDSHAKE_FORGOTTEN_S]
        for connection in stale:
            self._forget(connection)

    def _forget(self, connection: HttpConnection) -> None:
        connection.close()
        self._busy.pop(connection, None)
        self._opening.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
