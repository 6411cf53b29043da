"""What each function may do, and that it may do nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.synthesis import Synthesis

# Actions that know no resources, by AWS's service authorization reference.
WITHOUT_RESOURCES = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}

RUNNING = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
NETWORK = {action for action in WITHOUT_RESOURCES if action.startswith("ec2:")}
PRODUCING = {f"kafka-cluster:{action}" for action in ("Connect", "DescribeCluster", "WriteDataIdempotently")}
PRODUCING |= {"kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"}
CONSUMING = {f"kafka-cluster:{action}" for action in ("Connect", "DescribeCluster", "DescribeTopic", "ReadData")}
CONSUMING |= {"kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"}
CONSUMING |= {"kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"} | NETWORK
STORES = {"rds-db:connect", "elasticache:Connect"}
REDRIVING = {f"sqs:{action}" for action in ("SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}
SIGNING = {"s3:GetObject", "s3:PutObject"}

ALLOWED = {
    "gateway-authorize": RUNNING,
    "gateway-websocket": RUNNING | NETWORK | PRODUCING | STORES | REDRIVING,
    "gateway-deliver-bulk": RUNNING | CONSUMING | {"execute-api:ManageConnections", "lambda:InvokeFunction"},
    "gateway-deliver": RUNNING | CONSUMING | {"execute-api:ManageConnections", "lambda:InvokeFunction"},
    "gateway-http": RUNNING | {"execute-api:ManageConnections", "lambda:InvokeFunction"},
    "gateway-sweep": RUNNING | {"execute-api:ManageConnections", "lambda:InvokeFunction"},
    "logic-sweep": RUNNING | NETWORK | PRODUCING | STORES,
    "logic-upstream": RUNNING | NETWORK | PRODUCING | CONSUMING | STORES,
    "logic-rpc": RUNNING | NETWORK | PRODUCING | STORES | SIGNING | {"secretsmanager:GetSecretValue"},
    "task-sweep": RUNNING | NETWORK | PRODUCING | STORES,
    "task-push": RUNNING | CONSUMING | {"lambda:InvokeFunction"},
    "task-worker": RUNNING | NETWORK | PRODUCING | CONSUMING | STORES | REDRIVING,
    "repo-rpc": RUNNING | NETWORK | STORES,
    "repo-migrate": RUNNING | NETWORK | {"rds-db:connect"},
}


def _all_statements(stage: Synthesis) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for resource in stage.resources(kind):
            documents = [policy["PolicyDocument"] for policy in resource.properties.get("Policies", [])]
            if "PolicyDocument" in resource.properties:
                documents.append(resource.properties["PolicyDocument"])
            for document in documents:
                for statement in document["Statement"]:
                    yield resource.logical_id, statement


def _resources(stage: Synthesis, function: str, action: str) -> list[Any]:
    return [r for s in stage.statements(function) if action in s["Action"] for r in s["Resource"]]


@pytest.mark.parametrize("function", sorted(ALLOWED))
def test_function_may_do_what_its_work_needs_and_nothing_else(managed_stage: Synthesis, function: str) -> None:
    assert managed_stage.actions(function) == ALLOWED[function]


def test_no_statement_allows_everything_of_a_service(stage: Synthesis) -> None:
    for role, statement in _all_statements(stage):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], role
        assert statement["Effect"] == "Allow", role


def test_only_actions_that_know_no_resources_are_allowed_on_all(stage: Synthesis) -> None:
    for role, statement in _all_statements(stage):
        if "*" in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert set(actions) <= WITHOUT_RESOURCES, role


def test_roles_carry_no_managed_policy_but_the_one_that_api_gateway_s_logs_need(stage: Synthesis) -> None:
    managed = [r for r in stage.resources("AWS::IAM::Role") if r.properties.get("ManagedPolicyArns")]
    assert [role.logical_id[:18] for role in managed] == ["ApiGatewayLogsRole"]


def test_deliver_may_invoke_the_websocket_function_of_its_cell_alone(stage: Synthesis) -> None:
    websocket = stage.functions()["gateway-websocket"].logical_id
    for function in ("gateway-deliver", "gateway-deliver-bulk"):
        assert _resources(stage, function, "lambda:InvokeFunction") == [{"Fn::GetAtt": [websocket, "Arn"]}]


def test_the_gateway_s_sweep_may_invoke_repo_service_and_the_websocket_function_of_its_cell(stage: Synthesis) -> None:
    websocket = stage.functions()["gateway-websocket"].logical_id
    invoked = _resources(stage, "gateway-sweep", "lambda:InvokeFunction")
    assert len(invoked) == 2
    assert {"Fn::GetAtt": [websocket, "Arn"]} in invoked
    assert "RepoRpc" in str(invoked)


def test_http_may_invoke_logic_through_its_alias_alone(stage: Synthesis) -> None:
    (resource,) = _resources(stage, "gateway-http", "lambda:InvokeFunction")
    assert "LogicRpcLive" in str(resource)


def test_connections_are_managed_by_their_own_cell_s_functions_on_its_own_stage(stage: Synthesis) -> None:
    for function in ("gateway-deliver", "gateway-deliver-bulk", "gateway-http", "gateway-sweep"):
        (resource,) = _resources(stage, function, "execute-api:ManageConnections")
        assert resource["Fn::Join"][1][-1] == f"/{stage.stage}/*/@connections/*"


def test_producers_write_to_named_topics(managed_stage: Synthesis) -> None:
    def topics(function: str) -> set[str]:
        arns = _resources(managed_stage, function, "kafka-cluster:WriteData")
        return {arn["Fn::Join"][1][-1].rpartition("/")[2] for arn in arns}

    behind = {"im-task-topic", "im-push-topic", "im-dead-letter-topic"}
    behind |= {"im-downstream-topic-g1", "im-downstream-bulk-topic-g1"}
    assert topics("gateway-websocket") == behind | {"im-upstream-topic"}
    for function in ("logic-upstream", "logic-rpc", "logic-sweep", "task-worker", "task-sweep"):
        assert topics(function) == behind


def test_the_signing_keys_are_read_by_logic_and_written_by_their_maker(stage: Synthesis) -> None:
    may = {name: stage.actions(name) for name in stage.functions()}
    readers = {name for name, actions in may.items() if "secretsmanager:GetSecretValue" in actions}
    writers = {name for name, actions in may.items() if "secretsmanager:PutSecretValue" in actions}
    migrates = {"services-migrate-database"} if stage.stage != "local" else set()  # the database's master secret
    vapid = {"services-vapid-key"}  # of its own secret alone, as the next test holds
    assert readers == {"logic-rpc", "services-signing-key", "edge-signing-key"} | migrates | vapid
    assert writers == {"services-signing-key"} | vapid


def test_the_maker_of_the_web_push_key_reaches_no_other_secret(stage: Synthesis) -> None:
    for action in ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"):
        (resource,) = _resources(stage, "services-vapid-key", action)
        assert "VapidSecret" in str(resource)


def test_functions_write_to_their_own_logs_alone(stage: Synthesis) -> None:
    for name, function in stage.functions().items():
        group = function.properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert _resources(stage, name, "logs:PutLogEvents") == [{"Fn::GetAtt": [group, "Arn"]}]


def test_apis_may_invoke_only_for_themselves(stage: Synthesis) -> None:
    for permission in stage.resources("AWS::Lambda::Permission"):
        assert permission.properties["Principal"] == "apigateway.amazonaws.com"
        assert "SourceArn" in permission.properties


def test_a_function_puts_its_failures_into_its_own_queue_and_takes_them_out_of_no_other(stage: Synthesis) -> None:
    for function, title in (("gateway-websocket", "GatewayWebsocketG1Failed"), ("task-worker", "TaskWorkerFailed")):
        for action in REDRIVING:
            (resource,) = _resources(stage, function, action)
            assert resource["Fn::GetAtt"][0].startswith(title)
