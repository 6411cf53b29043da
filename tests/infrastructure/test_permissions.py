"""What each function may do, and that it may do nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cdk_app.catalogue import FUNCTIONS, TASK_CANARY
from tests.infrastructure.calls import (
    ADMINISTER,
    DISCOVER,
    LEASE,
    SNS,
    actions_of,
    custom_resource_actions,
    network_modules,
)
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
    "cloudwatch:DescribeAlarms",
    "kafka:GetBootstrapBrokers",
}

RUNNING = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
NETWORK = {action for action in WITHOUT_RESOURCES if action.startswith("ec2:")}
CONSUMING = {f"kafka-cluster:{action}" for action in ("Connect", "DescribeCluster", "DescribeTopic", "ReadData")}
CONSUMING |= {"kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"}
CONSUMING |= {"kafka-cluster:DescribeClusterDynamicConfiguration"}
CONSUMING |= {"kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"} | NETWORK
REDRIVING = {f"sqs:{action}" for action in ("SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}
KEY = {"kms:Decrypt", "kms:GenerateDataKey"}

CONSUMERS = {"gateway-deliver", "gateway-deliver-bulk", "logic-upstream", "task-worker", "task-push"}
"""Whose role is also that of Lambda's event pollers."""

REDRIVEN = {"gateway-websocket", "task-worker"}
"""Whose role is also Lambda's, for what it keeps of their failures."""

# Of what the default stages don't name: the platform applications of SNS, and a contact for browsers' push services.
ON_REQUEST = {"task-push": SNS | {"secretsmanager:GetSecretValue"}}


def _needed(stage: Synthesis, name: str) -> set[str]:
    """Say what a function needs, from the calls that its code makes and where it stands."""
    function = stage.functions()[name]
    needed = RUNNING | (set(actions_of(function.properties["Handler"])) - ON_REQUEST.get(name, set()))
    if "VpcConfig" in function.properties:
        needed |= NETWORK
    if name in CONSUMERS:
        needed |= CONSUMING
    if name in REDRIVEN:
        needed |= REDRIVING
    if stage.resources("AWS::KMS::Key") and needed & {"secretsmanager:GetSecretValue", "s3:GetObject"}:
        needed |= KEY
    return needed


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


# The canary is not in every stage: test_canary.py.
@pytest.mark.parametrize("function", sorted(spec.name for spec in FUNCTIONS if spec is not TASK_CANARY))
def test_function_may_do_what_its_code_calls_and_nothing_else(managed_stage: Synthesis, function: str) -> None:
    assert managed_stage.actions(function) == _needed(managed_stage, function)


@pytest.mark.parametrize("name", ["serverless", "external-msk"])
def test_the_maker_of_topics_may_do_what_its_code_calls_on_the_stage_s_topics_alone(
    syntheses: dict[str, Synthesis], name: str
) -> None:
    stage = syntheses[name]
    assert stage.actions("repo-topics") == _needed(stage, "repo-topics")
    assert stage.actions("services-kafka-topics") - RUNNING == custom_resource_actions("kafka_topics")
    made = {topic["name"] for topic in json.loads(stage.one("Custom::KafkaTopics").properties["Topics"])}
    for action in ADMINISTER - {"kafka-cluster:Connect", "kafka-cluster:DescribeCluster"}:
        arns = [arn["Fn::Join"][1][-1] for arn in _resources(stage, "repo-topics", action)]
        assert {arn.rpartition("/")[2] for arn in arns} == made
        assert not [arn for arn in arns if "*" in arn]


@pytest.mark.parametrize("name", ["external", "external-mtls"])
def test_the_maker_of_topics_reads_the_secrets_of_an_external_kafka(syntheses: dict[str, Synthesis], name: str) -> None:
    stage = syntheses[name]
    told = stage.environment("repo-topics")
    secrets = {told[key] for key in ("GOCHAT_KAFKA_SECRET_ARN", "GOCHAT_KAFKA_CA_SECRET_ARN") if key in told}
    assert set(_resources(stage, "repo-topics", "secretsmanager:GetSecretValue")) == secrets
    assert told["GOCHAT_KAFKA_AUTH"] == stage.environment("logic-upstream")["GOCHAT_KAFKA_AUTH"]


@pytest.mark.parametrize("name", ["external", "external-mtls"])
def test_pollers_may_describe_and_read_the_secrets_of_an_external_kafka(
    syntheses: dict[str, Synthesis], name: str
) -> None:
    stage = syntheses[name]
    secret = stage.environment("logic-upstream")["GOCHAT_KAFKA_SECRET_ARN"]
    for function in CONSUMERS & set(stage.functions()):
        for action in ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"):
            assert secret in _resources(stage, function, action), (function, action)


def test_nothing_speaks_to_the_network_without_a_place_in_the_catalogue_of_adapters() -> None:
    assert network_modules() == set()


def test_the_catalogue_tells_apart_who_calls_what() -> None:
    assert actions_of("gateway.authorize.handler.handle") == set()
    assert "sns:Publish" in actions_of("task.push.handler.handle")
    assert "rds-db:connect" not in actions_of("gateway.http.handler.handle")


@pytest.mark.parametrize("module", ["bootstrap_brokers", "migrate_database", "signing_key", "vapid_key"])
def test_custom_resource_may_do_what_its_code_calls_and_nothing_else(managed_stage: Synthesis, module: str) -> None:
    resources = [name for name in managed_stage.functions() if name.endswith(module.replace("_", "-"))]
    assert resources
    for name in resources:
        may = managed_stage.actions(name) - RUNNING - KEY
        # In the Edge stack the keys are read alone.
        spared = {"secretsmanager:PutSecretValue"} if name == "edge-signing-key" else set()
        assert may == custom_resource_actions(module) - spared


def test_no_statement_allows_everything_of_a_service(stage: Synthesis) -> None:
    for role, statement in _all_statements(stage):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], role
        assert statement["Effect"] == "Allow", role


def test_only_actions_that_know_no_resources_are_allowed_on_all(stage: Synthesis) -> None:
    for role, statement in _all_statements(stage):
        if "*" in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if set(actions) <= DISCOVER | LEASE:  # their resources are named by a condition
                assert set(statement["Condition"]["StringEquals"]) <= {
                    "servicediscovery:NamespaceName",
                    "servicediscovery:ServiceArn",
                }, role
            else:
                assert set(actions) <= WITHOUT_RESOURCES, role


def test_roles_carry_no_managed_policy_but_those_of_api_gateway_s_logs_and_aws_backup(stage: Synthesis) -> None:
    managed = [r for r in stage.resources("AWS::IAM::Role") if r.properties.get("ManagedPolicyArns")]
    backed = {"BackupRole"} if stage.resources("AWS::Backup::BackupPlan") else set()
    assert {role.logical_id[:-8] for role in managed} == {"ApiGatewayLogsRole"} | backed


def test_deliver_may_invoke_the_websocket_function_of_its_cell_alone(stage: Synthesis) -> None:
    for function in ("gateway-deliver", "gateway-deliver-bulk"):
        assert _resources(stage, function, "lambda:InvokeFunction") == [stage.arn("gateway-websocket")]


def test_the_gateway_s_sweep_may_invoke_repo_service_and_the_websocket_function_of_its_cell(stage: Synthesis) -> None:
    invoked = _resources(stage, "gateway-sweep", "lambda:InvokeFunction")
    assert len(invoked) == 2
    assert stage.arn("gateway-websocket") in invoked
    assert "RepoRpc" in str(invoked)


def test_http_may_invoke_logic_through_its_alias_alone(stage: Synthesis) -> None:
    (resource,) = _resources(stage, "gateway-http", "lambda:InvokeFunction")
    assert "-logic-rpc:live" in str(resource)


def test_the_prober_invokes_whom_it_asks_for_health_and_registers_nothing_but_loads(stage: Synthesis) -> None:
    invoked = str(_resources(stage, "gateway-prober", "lambda:InvokeFunction"))
    for asked in ("RepoRpc", "-logic-rpc:live", "GatewayWebsocketG1"):
        assert asked in invoked
    (registers,) = [one for one in stage.statements("gateway-prober") if "RegisterInstance" in str(one["Action"])]
    (service,) = registers["Condition"]["StringEquals"]["servicediscovery:ServiceArn"]
    assert "ImGatewayLoad" in str(service)


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
    assert topics("task-redrive") == {"im-upstream-topic", "im-task-topic", "im-push-topic", "im-dead-letter-topic"}


def test_dead_letters_are_read_by_operators_alone_and_nothing_else_is(managed_stage: Synthesis) -> None:
    read = _resources(managed_stage, "task-redrive", "kafka-cluster:ReadData")
    assert [arn["Fn::Join"][1][-1].rpartition("/")[2] for arn in read] == ["im-dead-letter-topic"]
    assert "task-redrive" not in str(managed_stage.resources("AWS::Lambda::Permission"))
    invokers = [
        role
        for role, statement in _all_statements(managed_stage)
        if "lambda:InvokeFunction" in statement["Action"] and "TaskRedrive" in str(statement["Resource"])
    ]
    assert invokers == []


def _secrets(stage: Synthesis, function: str) -> list[Any]:
    return _resources(stage, function, "secretsmanager:GetSecretValue")


def test_the_signing_keys_are_read_by_logic_and_written_by_their_maker(stage: Synthesis) -> None:
    may = {name: stage.actions(name) for name in stage.functions()}
    readers = {name for name in may if any("Signing" in str(arn) for arn in _secrets(stage, name))}
    writers = {name for name, actions in may.items() if "secretsmanager:PutSecretValue" in actions}
    vapid = {"services-vapid-key"}  # of its own secret alone, as the next test holds
    assert readers == {"logic-rpc", "services-signing-key", "edge-signing-key"}
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
