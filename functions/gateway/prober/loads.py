"""Notes in the registry how many connections each cell holds, so that clients are led to the emptier ones."""

from dataclasses import dataclass

import grpc

from gochat_aws.registry.cloud_map import CloudMap
from gochat_aws.registry.instances import GATEWAY, GATEWAY_LOAD, Instance
from gochat_aws.rpc_errors import error_of
from gochat_contracts.repo.repo_pb2 import CountConnectionsRequest
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.sweeps import Counts, TimeLimit

TIMEOUT_S = 4.0

WORTH_TELLING = 0.1
"""A load is written anew when it moved by more than this part: loads only order cells of one weight."""


@dataclass(frozen=True, kw_only=True)
class Loads:
    """Connections of each cell, counted by RepoService."""

    repo: RepoServiceStub
    cloud_map: CloudMap

    def note(self, limit: TimeLimit) -> Counts:  # noqa: ARG002  # one short call and a few writes
        """Count and write what moved. Safe to repeat. Raises Unavailable."""
        cells = [one.instance_id for one in self.cloud_map.list_instances(GATEWAY).instances]
        if len(cells) < 2:
            return {"LoadsWritten": 0}
        known = {one.instance_id: one.connections for one in self.cloud_map.list_instances(GATEWAY_LOAD).instances}
        try:
            answer = self.repo.CountConnections(CountConnectionsRequest(cell_ids=cells), timeout=TIMEOUT_S)
        except grpc.RpcError as fault:
            raise error_of(fault) from fault
        moved = {
            cell_id: count
            for cell_id, count in answer.connections.items()
            if cell_id not in known or abs(count - known[cell_id]) > WORTH_TELLING * known[cell_id]
        }
        for cell_id, count in moved.items():
            self.cloud_map.register(GATEWAY_LOAD, Instance(instance_id=cell_id, connections=count))
        for gone in known.keys() - set(cells):
            self.cloud_map.deregister(GATEWAY_LOAD, gone)
        return {"LoadsWritten": len(moved)}
