"""Asks API Gateway for connections that nobody has looked at for a while, and reports those that are gone."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc

from gateway.deliver.delivery import YOUNG_MS, Dead
from gateway.deliver.reports import report_dead
from gochat_aws.connections_api import Call, ConnectionsApi, Outcome
from gochat_aws.function_invoke import EventInvoker
from gochat_aws.rpc_errors import error_of
from gochat_contracts.deliver_reports import MissedBy
from gochat_contracts.repo.repo_pb2 import ClaimConnectionChecksRequest, ClaimConnectionChecksResponse, Connection
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.errors import Unavailable
from gochat_core.sweeps import Counts, TimeLimit
from gochat_core.types import CellId, ConnectionId, DeviceId, UserId

PAGE = 500
"""What RepoService gives at once (repo.proto)."""

CLAIM_TIMEOUT_S = 10.0
ASK_TIMEOUT_S = 10.0
"""For a page: callbacks share the account's request quota with everything else, so some may have to wait."""


@dataclass(frozen=True, kw_only=True)
class ConnectionSweep:
    """Checks one cell's connections, each about once in `check_every_ms`."""

    repo: RepoServiceStub
    connections: ConnectionsApi
    invoker: Callable[[], EventInvoker]
    cell_id: CellId
    check_every_ms: int

    def check_due(self, limit: TimeLimit) -> Counts:
        """Check page after page until nothing is due or the time is over.

        A connection that is gone takes the path of those that `deliver` finds, which never removes a newer one of the
        same device. What can't be asked or reported now is due again after `check_every_ms`.
        """
        done: Counter[str] = Counter(ConnectionsChecked=0, ConnectionsStale=0)
        while not limit.is_over():
            due = self._claim()
            done["ConnectionsChecked"] += len(due)
            done["ConnectionsStale"] += self._check(due)
            if len(due) < PAGE:
                break
        return done

    def _claim(self) -> Sequence[Connection]:
        request = ClaimConnectionChecksRequest(cell_id=self.cell_id, unchecked_for_ms=self.check_every_ms, limit=PAGE)
        try:
            answer: ClaimConnectionChecksResponse = self.repo.ClaimConnectionChecks(request, timeout=CLAIM_TIMEOUT_S)
        except grpc.RpcError as fault:
            raise error_of(fault) from fault
        return answer.connections

    def _check(self, due: Sequence[Connection]) -> int:
        calls = [
            Call(
                connection_id=one.connection_id,
                method="GET",
                retry_gone_until_s=(one.connected_at_ms + YOUNG_MS) / 1000,
            )
            for one in due
        ]
        replies = self.connections.send_all(calls, timeout_s=ASK_TIMEOUT_S)
        gone = [
            Dead(
                missed_by=MissedBy(
                    user_id=UserId(one.user_id),
                    device_id=DeviceId(one.device_id),
                    connection_id=ConnectionId(one.connection_id),
                ),
                records=frozenset({place}),
            )
            for place, (one, reply) in enumerate(zip(due, replies, strict=True))
            if reply.outcome is Outcome.GONE
        ]
        if gone and report_dead(self.invoker(), gone):
            raise Unavailable("Lambda did not take the report of stale connections")
        return len(gone)
