"""Connections whose end nobody may have told of: `$disconnect` is best effort, so each is checked now and then."""

from collections.abc import Sequence

from gochat_core.types import CellId, ConnectionId, DeviceId, UserId
from gochat_repo.connections import Connection, Connections, read_connection
from gochat_repo.mysql import Database, Transaction

LIFETIME_MS = 2 * 3600 * 1000
"""API Gateway developer guide, "Quotas for WebSocket APIs": connection duration 2 hours."""

OVERAGE_MS = 10 * 60 * 1000
"""How much longer a row may stand: clocks stand apart, and the platform cuts when it gets to it."""

_DUE = (
    "SELECT user_id, device_id, session_id, cell_id, connection_id, connected_at_ms FROM connections"
    " WHERE cell_id = %s AND checked_at_ms < %s ORDER BY checked_at_ms LIMIT %s FOR UPDATE SKIP LOCKED"
)
_CHECKED = "UPDATE connections SET checked_at_ms = %s WHERE (user_id, device_id) IN %s"
_COUNT = "SELECT cell_id, COUNT(*) FROM connections WHERE cell_id IN %s GROUP BY cell_id"
_OVERAGED = "SELECT user_id, device_id, connection_id FROM connections WHERE connected_at_ms < %s LIMIT %s"


class ConnectionChecks:
    """What is due for a check, and what needs none to be known as gone."""

    def __init__(self, database: Database, connections: Connections) -> None:
        self._database = database
        self._connections = connections

    def claim_due(self, cell_id: CellId, *, checked_before_ms: int, now_ms: int, limit: int) -> list[Connection]:
        """Return connections that were not looked at since, longest first, and count them as looked at.

        So two sweeps never ask for the same ones, and what a sweep claimed and died with is due again one interval
        later. Rows that somebody is changing right now are skipped. Three database round trips.
        """

        def work(tx: Transaction) -> list[Connection]:
            found = [read_connection(row) for row in tx.query(_DUE, (cell_id, checked_before_ms, limit))]
            if found:
                tx.execute(_CHECKED, (now_ms, tuple((one.user_id, one.device_id) for one in found)))
            return found

        return self._database.transaction(work)

    def count(self, cell_ids: Sequence[CellId]) -> dict[CellId, int]:
        """Count the connections of each cell, by an index alone; linear in their number."""
        if not cell_ids:
            return {}
        rows = self._database.read(lambda tx: tx.query(_COUNT, (tuple(cell_ids),)))
        return dict.fromkeys(cell_ids, 0) | {CellId(cell_id): int(count) for cell_id, count in rows}

    def remove_overaged(self, *, now_ms: int, limit: int) -> int:
        """Delete connections that the platform must have cut, at most `limit`, and return how many; idempotent."""
        before_ms = now_ms - LIFETIME_MS - OVERAGE_MS
        rows = self._database.read(lambda tx: tx.query(_OVERAGED, (before_ms, limit)))
        gone = [(UserId(user), DeviceId(device), ConnectionId(connection)) for user, device, connection in rows]
        return self._connections.remove_many(gone)
