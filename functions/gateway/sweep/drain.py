"""Moves the clients of a draining cell to the others: tells each connection where to go, then closes it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from gateway.deliver.delivery import YOUNG_MS
from gateway.sweep.stale_connections import CLAIM_TIMEOUT_S, PAGE
from gochat_aws.connections_api import Call, ConnectionsApi
from gochat_aws.registry.choose import choose
from gochat_aws.registry.instances import GATEWAY, Instance
from gochat_aws.rpc_errors import error_of
from gochat_contracts.repo.repo_pb2 import ClaimConnectionChecksRequest, Connection
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.sweeps import Counts, TimeLimit
from gochat_core.types import CellId

SESSION_MOVED = "session.moved"

TELL_TIMEOUT_S = 10.0
"""For a page."""

_LOOKED_AT_MS = 5_000
"""Connections that were looked at so shortly before are left to the next sweep: they may be this one's."""


@dataclass(frozen=True, kw_only=True)
class Drain:
    """Empties one cell while the registry calls it draining.

    Nothing is lost by it: what a closed connection misses takes the path of any connection that ended, and the client
    catches up after it has connected to another cell.
    """

    cell_id: CellId
    instances: Callable[[str], tuple[Instance, ...]]
    repo: RepoServiceStub
    connections: ConnectionsApi

    def move_clients(self, limit: TimeLimit) -> Counts:
        """Tell and close page after page; what is left is done by the next sweep. Safe to repeat. Raises Unavailable.

        Does nothing while no other cell could take the clients.
        """
        cells = self.instances(GATEWAY)
        is_draining = any(one.instance_id == self.cell_id and one.draining for one in cells)
        others = [one for one in cells if not one.draining and one.healthy]
        moved = 0
        began_ms = limit.clock.now_ms()
        while is_draining and others and not limit.is_over():
            page = self._claim(unchecked_for_ms=limit.clock.now_ms() - began_ms + _LOOKED_AT_MS)
            self._move(page, others)
            moved += len(page)
            if len(page) < PAGE:
                break
        return {"ConnectionsMoved": moved}

    def _claim(self, *, unchecked_for_ms: int) -> list[Connection]:
        request = ClaimConnectionChecksRequest(cell_id=self.cell_id, unchecked_for_ms=unchecked_for_ms, limit=PAGE)
        try:
            answer: Any = self.repo.ClaimConnectionChecks(request, timeout=CLAIM_TIMEOUT_S)
        except grpc.RpcError as fault:
            raise error_of(fault) from fault
        return list(answer.connections)

    def _move(self, page: list[Connection], others: list[Instance]) -> None:
        calls: list[Call] = []
        for one in page:
            until_s = (one.connected_at_ms + YOUNG_MS) / 1000
            frame = moved_frame(choose(others, is_ejected=lambda _: False) or others[0])
            calls.append(Call(connection_id=one.connection_id, body=frame, retry_gone_until_s=until_s))
            calls.append(Call(connection_id=one.connection_id, method="DELETE", retry_gone_until_s=until_s))
        if calls:
            self.connections.send_all(calls, timeout_s=TELL_TIMEOUT_S)


def moved_frame(cell: Instance) -> bytes:
    """Write the event that leads a client to another cell."""
    event = {"event": SESSION_MOVED, "data": {"gateway_id": cell.instance_id, "websocket_url": cell.endpoint}}
    return json.dumps(event, separators=(",", ":")).encode()
