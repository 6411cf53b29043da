"""Tells the connections of sessions that ended, and closes them, before the client hears that they ended."""

from collections.abc import Iterable, Mapping

from aws_lambda_powertools import Logger

from gochat_aws.connections_api import Call, ConnectionsApi, count_outcomes
from gochat_contracts.logic import ended_pb2
from gochat_core.types import CellId

TIMEOUT_S = 2.0
"""How long an answer may wait for connections to close; frames of the ended sessions are refused anyway."""

YOUNG_FOR_S = 10.0
"""A connection answers 410 while its `$connect` has not returned."""

REVOKED_FRAME = b'{"event":"session.revoked","data":{}}'


class ConnectionCloser:
    """Close connections through the `@connections` of their cells."""

    def __init__(self, apis: Mapping[CellId, ConnectionsApi], *, logger: Logger) -> None:
        self._apis = apis
        self._logger = logger

    def close(self, ended: Iterable[ended_pb2.EndedConnection]) -> None:
        """Send `session.revoked` to each and close it. Best effort: im-logic has ended the sessions already.

        A connection of a cell that this deployment does not know is left alone: its next frame is refused.
        """
        by_cell: dict[CellId, list[ended_pb2.EndedConnection]] = {}
        for one in ended:
            by_cell.setdefault(CellId(one.cell_id), []).append(one)
        known = {cell_id: connections for cell_id, connections in by_cell.items() if cell_id in self._apis}
        for cell_id, connections in by_cell.items():
            if cell_id not in known:
                self._logger.warning("unknown cell", extra={"cell_id": cell_id, "connections": len(connections)})
        for cell_id, connections in known.items():
            calls = [call for one in connections for call in _farewell(one)]
            # Each cell its share, so that one that does not answer takes no other's time.
            replies = self._apis[cell_id].send_all(calls, timeout_s=TIMEOUT_S / len(known))
            self._logger.info(
                "connections closed",
                extra={"cell_id": cell_id, "connections": len(connections), "calls": count_outcomes(replies)},
            )


def _farewell(one: ended_pb2.EndedConnection) -> list[Call]:
    until_s = one.connected_at_ms / 1000 + YOUNG_FOR_S
    return [
        Call(connection_id=one.connection_id, body=REVOKED_FRAME, retry_gone_until_s=until_s),
        Call(connection_id=one.connection_id, method="DELETE", retry_gone_until_s=until_s),
    ]
