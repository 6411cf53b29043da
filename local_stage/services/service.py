"""What every service of the local stage offers: its address, and stop, kill and restart for tests of failure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from local_stage.services.errors import ServiceError
from local_stage.services.process import ServerProcess


@dataclass(frozen=True, kw_only=True)
class Service:
    """Hold one server's address, and its process unless it is an external one.

    `stop`, `kill` and `restart` keep the port, so that clients find the server again where it was.
    """

    host: str
    port: int
    process: ServerProcess | None = None
    wait_ready: Callable[[], None] = field(repr=False)

    @property
    def address(self) -> str:
        """The address as `host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The server's process id; None for an external server and for a stopped one."""
        return self.process.pid if self.process else None

    @property
    def running(self) -> bool:
        """Whether the server's process runs; an external server counts as running."""
        return self.process is None or self.process.pid is not None

    def stop(self) -> None:
        """End the server in order and wait for it; leaves an external server alone."""
        if self.process:
            self.process.stop()

    def kill(self) -> None:
        """End the server as a crash would (SIGKILL)."""
        self._own_process().kill()

    def restart(self) -> None:
        """Start the server again, after stopping it if it runs, and wait until it answers."""
        process = self._own_process()
        process.stop()
        process.start()
        self.wait_ready()

    def pause(self) -> None:
        """Freeze the server: its connections stay open and nothing answers. `resume` before you stop it."""
        self._own_process().pause()

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._own_process().resume()

    def _own_process(self) -> ServerProcess:
        if self.process is None:
            raise ServiceError(f"The server at {self.address} is an external one: it is not ours to stop.")
        return self.process
