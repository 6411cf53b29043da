"""Keep the warm execution environments of each function, start more when they are busy, and end the idle ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from local_stage.aws.function_sandbox import Sandbox

# A surplus environment goes soon, the last one stays: a stage at rest must fit beside an editor and a browser.
SURPLUS_IDLE_S = 30.0
LAST_IDLE_S = 900.0
# Two cores import two handlers at once; a burst would start dozens that are all ready too late.
STARTING_AT_ONCE = 2


@dataclass(kw_only=True, eq=False)
class _Pool:
    fingerprint: str
    freed: threading.Condition
    idle: list[Sandbox] = field(default_factory=list)
    busy: set[Sandbox] = field(default_factory=set)
    starting: int = 0


class FunctionPools:
    """Execution environments by function version.

    AWS starts one for each concurrent invocation. So does this, few at a time and up to a limit of its own; beyond it
    an invocation waits for a free one instead of being throttled, because a laptop's limit is not AWS's.
    """

    def __init__(
        self, *, most_of_one_function: int, freeze_idle: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Allow each function at most so many processes, and stop those that are idle if `freeze_idle`."""
        self._freeze_idle = freeze_idle
        self._most = most_of_one_function
        self._clock = clock
        self._lock = threading.Lock()
        self._pools: dict[str, _Pool] = {}
        self._closed = False

    def acquire(self, key: str, fingerprint: str, start: Callable[[], Sandbox]) -> Sandbox:
        """Lease an environment of the function `key` as configured by `fingerprint`; give it back with `release`."""
        with self._lock:
            while True:
                if self._closed:
                    raise RuntimeError("The local AWS is shutting down.")
                pool = self._pool(key, fingerprint)
                sandbox = self._take_idle(pool)
                if sandbox is not None:
                    return sandbox
                if pool.starting < STARTING_AT_ONCE and pool.starting + len(pool.busy) < self._most:
                    break
                pool.freed.wait()
            pool.starting += 1
        sandbox = None
        try:
            sandbox = start()
            sandbox.prepare()
        finally:
            with self._lock:
                pool.starting -= 1
                if sandbox is not None:
                    pool.busy.add(sandbox)
                pool.freed.notify()
        return sandbox

    def release(self, sandbox: Sandbox, *, reusable: bool) -> None:
        """Take an environment back, for the next invocation if it may serve one."""
        sandbox.idle_since = self._clock()
        keep = False
        with self._lock:
            pool = next((pool for pool in self._pools.values() if sandbox in pool.busy), None)
            if pool is not None:
                pool.busy.discard(sandbox)
                keep = reusable and not self._closed
                if keep:
                    if self._freeze_idle:
                        sandbox.freeze()
                    pool.idle.append(sandbox)
                pool.freed.notify()
        if not keep:
            sandbox.close()

    def retire(self, matches: Callable[[str], bool]) -> None:
        """End the idle environments of these functions now and the busy ones after their invocation."""
        with self._lock:
            doomed = [self._pools.pop(key) for key in list(self._pools) if matches(key)]
            for pool in doomed:
                pool.freed.notify_all()
        for pool in doomed:
            self._close_all(pool.idle)

    def reap(self) -> None:
        """End environments that have been idle too long."""
        now = self._clock()
        doomed: list[Sandbox] = []
        with self._lock:
            for pool in self._pools.values():
                spare = len(pool.idle) + len(pool.busy) - 1
                for sandbox in list(pool.idle):
                    limit = SURPLUS_IDLE_S if spare > 0 else LAST_IDLE_S
                    if now - sandbox.idle_since > limit:
                        pool.idle.remove(sandbox)
                        doomed.append(sandbox)
                        spare -= 1
        self._close_all(doomed)

    def close(self) -> None:
        """Kill every environment, busy or not, and refuse to start more."""
        with self._lock:
            self._closed = True
            busy = [sandbox for pool in self._pools.values() for sandbox in pool.busy]
            idle = [sandbox for pool in self._pools.values() for sandbox in pool.idle]
            for pool in self._pools.values():
                pool.idle.clear()
                pool.freed.notify_all()
        for sandbox in busy:
            # Its invocation fails, and whoever runs it gives the environment back.
            sandbox.kill()
        self._close_all(idle)

    def _pool(self, key: str, fingerprint: str) -> _Pool:
        pool = self._pools.get(key)
        if pool is None or pool.fingerprint != fingerprint:
            if pool is not None:
                pool.freed.notify_all()
                idle, pool.idle = pool.idle, []
                threading.Thread(target=self._close_all, args=(idle,), daemon=True).start()
            pool = self._pools[key] = _Pool(fingerprint=fingerprint, freed=threading.Condition(self._lock))
        return pool

    @staticmethod
    def _take_idle(pool: _Pool) -> Sandbox | None:
        while pool.idle:
            sandbox = pool.idle.pop()
            if sandbox.is_alive():
                sandbox.thaw()
                pool.busy.add(sandbox)
                return sandbox
            sandbox.close()
        return None

    @staticmethod
    def _close_all(sandboxes: list[Sandbox]) -> None:
        for sandbox in sandboxes:
            sandbox.close()
