"""Functions answer for their health: a cell by an event of ours, all others by the standard health service."""

from collections.abc import Iterator

import pytest

from gateway.prober.health_calls import HEALTH_EVENT, HealthCalls
from gochat_aws.function_invoke import FunctionInvoker
from gochat_aws.invoke_server import InvokeServer
from gochat_aws.registry.instances import GATEWAY, LOGIC, Instance
from tests.fakes.lambda_api import LambdaApi, serve_lambda_api

CELL = Instance(instance_id="g1", function="arn:aws:lambda:us-east-1:1:function:websocket", endpoint="wss://e.org/t")
ALIAS = Instance(instance_id="live", function="arn:aws:lambda:us-east-1:1:function:logic-rpc:live")


def _answer(payload: bytes) -> bytes:
    """Be any of our functions: a cell's knows the event, the others speak gRPC."""
    if payload == HEALTH_EVENT:
        return b'{"statusCode":200}'
    return InvokeServer().handle_payload(payload, 5.0)


@pytest.fixture
def lambdas() -> Iterator[LambdaApi]:
    with serve_lambda_api(_answer) as api:
        yield api


@pytest.fixture
def calls(lambdas: LambdaApi) -> HealthCalls:
    return HealthCalls(
        region="us-east-1",
        invoker=lambda function, region: FunctionInvoker(function=function, region=region, endpoint=lambdas.endpoint),
    )


@pytest.mark.parametrize(("service", "instance"), [(GATEWAY, CELL), (LOGIC, ALIAS)])
def test_a_function_that_runs_serves(calls: HealthCalls, lambdas: LambdaApi, service: str, instance: Instance) -> None:
    assert calls.is_serving(service, instance)
    assert lambdas.functions_invoked == [instance.function]


@pytest.mark.parametrize(("service", "instance"), [(GATEWAY, CELL), (LOGIC, ALIAS)])
@pytest.mark.parametrize("fault", ["raises", "throttled", "is not there", "breaks off", "says nothing"])
def test_a_function_that_fails_does_not(
    calls: HealthCalls, lambdas: LambdaApi, service: str, instance: Instance, fault: str
) -> None:
    match fault:
        case "raises":
            lambdas.function_error = {"errorType": "ImportError", "errorMessage": "no module"}
        case "throttled":
            lambdas.status = 429
        case "is not there":
            lambdas.status = 404
        case "breaks off":
            lambdas.drop_next = 1
        case "says nothing":
            lambdas.function = lambda _: b"null"
    assert not calls.is_serving(service, instance)
