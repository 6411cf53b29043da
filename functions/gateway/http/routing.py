"""What a route is: a method, a path, whether it is open, and the function that answers."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.http.answers import Answer
from gateway.http.closing import ConnectionCloser
from gateway.http.gateways import Gateways
from gateway.http.logic_client import LogicClient
from gateway.http.request import Request

PREFIX = "/api/v1"


@dataclass(frozen=True, kw_only=True)
class Services:
    """What routes call."""

    logic: LogicClient
    closer: ConnectionCloser
    gateways: Gateways
    http_url: str
    """Where this API is reached, without a slash at the end: what stands in messages for ever begins with it."""
    stage: str


@dataclass(frozen=True, kw_only=True)
class Route:
    """One row of the protocol's REST table; `path` has its parameters as `<name>`."""

    method: str
    path: str
    answer: Callable[[Request, Services], Answer]
    is_open: bool = False
    reads: bool = False
    """Whether it changes nothing although its method is not GET."""

    @property
    def takes_key(self) -> bool:
        """Whether the Idempotency-Key of a request goes to im-logic: every mutation's does, but /auth's."""
        return self.method != "GET" and not self.reads and not self.path.startswith("/auth/")
