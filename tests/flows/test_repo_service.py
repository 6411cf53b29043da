"""RepoService, called from outside as a deployed function: the generated stub over Lambda Invoke."""

from collections.abc import Iterator

import grpc
import pytest

from gochat_aws.function_invoke import FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.invoke_outcome import InvokeRpcError
from gochat_aws.sigv4 import Credentials
from gochat_contracts.repo.repo_pb2 import CheckHealthRequest, GetUserRequest, ListConnectionsRequest
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person

FUNCTION = "gochat-local-repo-rpc"


@pytest.fixture
def repo(stage: Stage) -> Iterator[RepoServiceStub]:
    invoker = FunctionInvoker(
        function=FUNCTION,
        region="us-east-1",
        endpoint=stage.aws_url,
        credentials=lambda: Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="secret"),
    )
    yield RepoServiceStub(InvokeChannel(lambda_transport(invoker)))
    invoker.close()


def test_a_user_and_its_connections_are_read_from_outside(repo: RepoServiceStub, alice: Person) -> None:
    assert repo.CheckHealth(CheckHealthRequest()).stage == "local"
    user = repo.GetUser(GetUserRequest(username=alice.username))
    assert (user.user_id, user.display_name) == (int(alice.user_id), alice.user["display_name"])
    with alice.connect() as socket:
        connection_id = socket.call("hello")["data"]["connection_id"]
        (connection,) = repo.ListConnections(ListConnectionsRequest(user_ids=[user.user_id])).connections
        assert (connection.connection_id, connection.device_id) == (connection_id, alice.device_id)
        assert connection.cell_id == "g1"


def test_a_user_that_does_not_exist_is_not_found(repo: RepoServiceStub) -> None:
    with pytest.raises(InvokeRpcError) as refused:
        repo.GetUser(GetUserRequest(user_id=1))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
