"""Tells the connections of sessions that ended, and closes them, before the client hears that they ended."""

from collections.abc import Iterable

from aws_lambda_powertools import Logger

from gochat_aws.connections_api import Call, ConnectionsApi, count_outcomes
from gochat_contracts.logic import ended_pb2

TIMEOUT_S = 2.0
"""How long an answer may wait for connections to close; frames of the ended sessions are refused anyway."""

YOUNG_FOR_S = 10.0
"""A connection answers 410 while its `$connect` has not returned."""

REVOKED_FRAME = b'{"event":"session.revoked","data":{}}'


class ConnectionCloser:
    """Close connections of one cell through `@connections`."""

    def __init__(self, api: ConnectionsApi, *, cell_id: str, logger: Logger) -> None:
        self._api = api
        self._cell_id = cell_id
        self._logger = logger

    def close(self, ended: Iterable[ended_pb2.EndedConnection]) -> None:
        """Send `session.revoked` to each and close it. Best effort: im-logic has ended the sessions already.

        Connections of other cells are left to their own cell, which refuses their next frame.
        """
        mine = [one for one in ended if one.cell_id == self._cell_id]
        if not mine:
            return
        calls = [call for one in mine for call in _farewell(one)]
        replies = self._api.send_all(calls, timeout_s=TIMEOUT_S)
        self._logger.info("connections closed", extra={"connections": len(mine), "calls": count_outcomes(replies)})


def _farewell(one: ended_pb2.EndedConnection) -> list[Call]:
    until_s = one.connected_at_ms / 1000 + YOUNG_FOR_S
    return [
        Call(connection_id=one.connection_id, body=REVOKED_FRAME, retry_gone_until_s=until_s),
        Call(connection_id=one.connection_id, method="DELETE", retry_gone_until_s=until_s),
    ]
