"""What a first creation, an update, a rollback and a second creation of a stage's stacks come upon."""

import base64
from typing import Any

from tests.infrastructure.synthesis import Resource, Synthesis

# No name of theirs is taken: one setting of the whole account, and its role.
SHARED = {"AWS::ApiGateway::Account", "AWS::IAM::Role"}


def _policies(stage: Synthesis) -> list[Resource]:
    return [one for one in stage.resources() if one.body.get("DeletionPolicy", "").startswith("Retain")]


def test_what_is_kept_leaves_with_a_stack_whose_first_creation_fails(variant: Synthesis) -> None:
    for resource in _policies(variant):
        expected = "Retain" if resource.type in SHARED else "RetainExceptOnCreate"
        assert resource.body["DeletionPolicy"] == expected, resource.logical_id
        assert resource.body["UpdateReplacePolicy"] == "Retain", resource.logical_id


def test_prod_keeps_the_master_password_with_its_database(prod: Synthesis) -> None:
    (secret,) = prod.resources("AWS::SecretsManager::Secret", stack="Data")
    assert secret.body["DeletionPolicy"] == "RetainExceptOnCreate"


def test_log_delivery_writes_to_groups_that_need_no_policy_of_the_region(variant: Synthesis) -> None:
    groups = {one.logical_id: one.properties["LogGroupName"] for one in variant.resources("AWS::Logs::LogGroup")}
    delivered: list[Any] = [
        one.properties["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]
        for one in variant.resources("AWS::ApiGatewayV2::Stage")
    ]
    delivered += [
        one.properties["LoggingInfo"]["BrokerLogs"]["CloudWatchLogs"]["LogGroup"]["Ref"]
        for one in variant.resources("AWS::MSK::Cluster")
    ]
    assert all(groups[one].startswith("/aws/vendedlogs/") for one in delivered)


def test_the_databases_logs_are_forgotten_too_because_their_groups_are_there_first(managed_stage: Synthesis) -> None:
    cluster = managed_stage.one("AWS::RDS::DBCluster")
    groups = {
        one.properties["LogGroupName"]: one.logical_id
        for one in managed_stage.resources("AWS::Logs::LogGroup", stack="Data")
    }
    for kind in cluster.properties["EnableCloudwatchLogsExports"]:
        assert groups[f"/aws/rds/cluster/gochat-{managed_stage.stage}/{kind}"] in cluster.body["DependsOn"]


def test_codedeploy_may_move_each_alias_by_the_name_of_its_function(prod: Synthesis) -> None:
    aliases = [one for one in prod.resources("AWS::Lambda::Alias") if "UpdatePolicy" in one.body]
    statements = [
        statement
        for policy in prod.resources("AWS::IAM::Policy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "lambda:UpdateAlias" in statement["Action"]
    ]
    allowed = [resource for one in statements for resource in one["Resource"]]
    assert aliases
    for alias in aliases:
        assert {"Fn::GetAtt": [alias.properties["FunctionName"]["Ref"], "Arn"]} in allowed, alias.logical_id
    for statement in statements:
        assert "lambda:GetProvisionedConcurrencyConfig" in statement["Action"]


def test_versions_stay_for_the_aliases_that_stand_on_them(prod: Synthesis) -> None:
    versions = prod.resources("AWS::Lambda::Version")
    assert versions
    assert {one.body["DeletionPolicy"] for one in versions} == {"RetainExceptOnCreate"}


def test_no_alias_is_exported_that_could_then_not_be_taken_out(variant: Synthesis) -> None:
    exported = [one["Value"] for one in variant.templates["Services"].get("Outputs", {}).values() if "Export" in one]
    assert "LogicRpc" not in str(exported)
    edge = variant.templates["Edge"]
    assert f":function:gochat-{variant.stage}-logic-rpc:live" in str(edge["Resources"])


def test_whoever_leaves_the_proxy_finds_the_clusters_names_exported(managed_stage: Synthesis) -> None:
    outputs = managed_stage.templates["Data"]["Outputs"].values()
    exported = [one["Value"]["Fn::GetAtt"][1] for one in outputs if "Fn::GetAtt" in one["Value"]]
    assert {"Endpoint.Address", "ReadEndpoint.Address"} <= set(exported)


def test_express_brokers_are_told_retention_in_the_unit_that_they_know(syntheses: dict[str, Synthesis]) -> None:
    properties = syntheses["express"].one("AWS::MSK::Configuration").properties["ServerProperties"]
    assert "log.retention.ms=604800000" in properties
    assert "log.retention.hours" not in properties
    for topic in syntheses["express"].resources("AWS::MSK::Topic"):
        configs = base64.b64decode(topic.properties["Configs"]).decode()
        assert configs == "retention.ms=604800000"
