"""What each option of a stage changes in its templates."""

from typing import Any

import pytest

from dev_cli.deployment.removal import STORES
from gochat_repo import mysql_connection
from tests.infrastructure.synthesis import Resource, Synthesis
from tests.infrastructure.variants import COPY


def _endpoints(stage: Synthesis) -> set[str]:
    return {one.properties["ServiceName"].rsplit(".", 1)[-1] for one in stage.resources("AWS::EC2::VPCEndpoint")}


def _kafka_mappings(stage: Synthesis) -> list[Resource]:
    return [one for one in stage.resources("AWS::Lambda::EventSourceMapping") if "Topics" in one.properties]


def test_on_demand_mappings_imply_endpoints_or_nat(variant: Synthesis) -> None:
    on_demand = [one for one in _kafka_mappings(variant) if "ProvisionedPollerConfig" not in one.properties]
    managed = variant.resources("AWS::EC2::VPC")
    if on_demand and managed:
        assert {"lambda", "sts"} <= _endpoints(variant) or variant.resources("AWS::EC2::NatGateway")


def test_nat_takes_the_place_of_endpoints(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["nat"]
    assert len(stage.resources("AWS::EC2::NatGateway")) == 1
    assert _endpoints(stage) == set()


def test_ipv6_leaves_by_a_gateway_that_lets_nobody_in(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["ipv6"]
    assert len(stage.resources("AWS::EC2::EgressOnlyInternetGateway")) == 1
    assert not stage.resources("AWS::EC2::NatGateway")
    assert _endpoints(stage) == {"lambda", "sts"}
    function = stage.functions()["logic-rpc"].properties
    assert function["VpcConfig"]["Ipv6AllowedForDualStack"] is True
    assert stage.environment("logic-rpc")["AWS_USE_DUALSTACK_ENDPOINT"] == "true"


@pytest.mark.parametrize("name", ["nat", "ipv6"])
def test_a_way_out_is_none_for_anything_but_https(syntheses: dict[str, Synthesis], name: str) -> None:
    rules = [
        rule
        for group in syntheses[name].resources("AWS::EC2::SecurityGroup")
        for rule in group.properties.get("SecurityGroupEgress", [])
        if rule.get("CidrIp") != "255.255.255.255/32"
    ]
    assert rules
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(443, 443)}


def test_redis_oss_comes_by_one_setting(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["redis-oss"]
    cache = stage.one("AWS::ElastiCache::ServerlessCache").properties
    assert (cache["Engine"], cache["MajorEngineVersion"]) == ("redis", "7")
    users = {user.properties["UserName"]: user.properties for user in stage.resources("AWS::ElastiCache::User")}
    assert users["default"]["AccessString"].startswith("off")


def test_own_domains_serve_rest_and_each_cell_at_its_path(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["custom-domain"]
    domains = {one.properties["DomainName"]: one for one in stage.resources("AWS::ApiGatewayV2::DomainName")}
    assert set(domains) == {"api.chat.example.org", "ws.chat.example.org"}
    for domain in domains.values():
        assert domain.properties["DomainNameConfigurations"][0]["SecurityPolicy"] == "TLS_1_2"
    keys = {one.properties.get("ApiMappingKey") for one in stage.resources("AWS::ApiGatewayV2::ApiMapping")}
    assert keys == {None, "g1", "g2"}
    outputs: dict[str, Any] = stage.templates["Edge"]["Outputs"]
    assert outputs["WebSocketUrl"]["Value"] == "wss://ws.chat.example.org/g1"
    assert outputs["HttpUrl"]["Value"] == "https://api.chat.example.org"
    assert len(stage.resources("AWS::Route53::RecordSet", stack="Edge")) == 2


def test_express_brokers_are_told_nothing_that_they_decide(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["express"]
    properties = stage.one("AWS::MSK::Configuration").properties["ServerProperties"]
    assert "min.insync.replicas" not in properties
    assert "StorageInfo" not in stage.one("AWS::MSK::Cluster").properties["BrokerNodeGroupInfo"]


def test_an_external_kafka_is_read_by_scram_from_inside_its_network(syntheses: dict[str, Synthesis]) -> None:
    for mapping in _kafka_mappings(syntheses["external"]):
        kinds = [one["Type"] for one in mapping.properties["SourceAccessConfigurations"]]
        assert kinds == ["SASL_SCRAM_512_AUTH", "VPC_SUBNET", "VPC_SUBNET", "VPC_SECURITY_GROUP"]


def test_an_external_kafka_is_read_by_certificate_with_its_own_root(syntheses: dict[str, Synthesis]) -> None:
    for mapping in _kafka_mappings(syntheses["external-mtls"]):
        kinds = [one["Type"] for one in mapping.properties["SourceAccessConfigurations"]]
        assert kinds[:2] == ["CLIENT_CERTIFICATE_TLS_AUTH", "SERVER_ROOT_CA_CERTIFICATE"]


def test_an_msk_cluster_that_exists_is_read_by_its_arn_with_iam(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["external-msk"]
    for mapping in _kafka_mappings(stage):
        assert mapping.properties["EventSourceArn"].startswith("arn:aws:kafka:")
        assert "SourceAccessConfigurations" not in mapping.properties
    assert "kafka-cluster:WriteData" in stage.actions("logic-upstream")
    assert {"rds-db:connect", "elasticache:Connect"} <= stage.actions("logic-rpc")


def test_prod_s_functions_reach_the_database_through_the_proxy_and_migrations_past_it(prod: Synthesis) -> None:
    proxy = prod.one("AWS::RDS::DBProxy").properties
    assert (proxy["DefaultAuthScheme"], proxy["RequireTLS"]) == ("IAM_AUTH", True)
    assert "Proxy" in str(prod.environment("logic-rpc")["GOCHAT_MYSQL_HOST"])
    assert "Proxy" not in str(prod.environment("repo-migrate")["GOCHAT_MYSQL_HOST"])


def test_the_proxy_sets_up_sessions_as_the_repo_layer_does(prod: Synthesis) -> None:
    target = prod.one("AWS::RDS::DBProxyTargetGroup").properties["ConnectionPoolConfigurationInfo"]
    assert target["SessionPinningFilters"] == ["EXCLUDE_VARIABLE_SETS"]
    assert mysql_connection._SESSION_ISOLATION in target["InitQuery"]
    wanted = mysql_connection._SESSION_VARIABLES.removeprefix("SET autocommit = 0, ") % 5
    assert wanted in target["InitQuery"]


def test_prod_s_pollers_share_a_group_and_its_data_one_key(prod: Synthesis) -> None:
    groups = {
        one.properties["ProvisionedPollerConfig"].get("PollerGroupName")
        for one in _kafka_mappings(prod)
        if "bulk" not in one.properties["Topics"][0]  # what large groups send must not crowd out the rest
    }
    assert groups == {"gochat-prod"}
    assert prod.one("AWS::KMS::Key").properties["EnableKeyRotation"] is True
    assert "KmsKeyId" in prod.one("AWS::RDS::DBCluster").properties
    assert "EncryptionAtRest" in prod.one("AWS::MSK::Cluster").properties["EncryptionInfo"]
    assert "KmsKeyId" in prod.one("AWS::ElastiCache::ServerlessCache").properties


def test_prod_is_backed_up_daily_and_to_any_second_of_two_weeks(prod: Synthesis) -> None:
    cluster = prod.one("AWS::RDS::DBCluster").properties
    assert (cluster["BackupRetentionPeriod"], cluster["DeleteAutomatedBackups"]) == (14, False)
    (rule,) = prod.one("AWS::Backup::BackupPlan").properties["BackupPlan"]["BackupPlanRule"]
    assert rule["Lifecycle"]["DeleteAfterDays"] == 35


def test_a_restored_cluster_takes_the_place_of_the_one_before(syntheses: dict[str, Synthesis]) -> None:
    before, after = (syntheses[name].one("AWS::RDS::DBCluster") for name in ("prod", "restored"))
    assert before.logical_id == after.logical_id
    # Of one given name they could not replace each other, and what the snapshot says must not be said again.
    assert after.properties["DBClusterIdentifier"] not in ("gochat-prod", before.properties["DBClusterIdentifier"])
    assert after.properties["SnapshotIdentifier"] == COPY
    inherited = {"MasterUsername", "MasterUserPassword", "DatabaseName"}
    assert inherited <= before.properties.keys()
    assert not inherited & after.properties.keys()
    assert after.body["UpdateReplacePolicy"] == "Retain"


def test_only_stacks_that_destroying_takes_down_hold_on_to_the_database(prod: Synthesis) -> None:
    # CloudFormation changes no export that another stack imports: a stack of stores among them would forbid a restore.
    naming = {name for name, template in prod.templates.items() if "GoChat-prod-Data:Exports" in str(template)}
    assert "Services" in naming
    assert naming & set(STORES) == {"Data"}


def test_alarms_and_graphs_watch_the_restored_cluster(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["restored"]
    name = stage.one("AWS::RDS::DBCluster").properties["DBClusterIdentifier"]
    watched = [
        dimension["Value"]
        for alarm in stage.resources("AWS::CloudWatch::Alarm")
        for dimension in alarm.properties.get("Dimensions", [])
        if dimension["Name"] == "DBClusterIdentifier"
    ]
    assert watched
    assert set(watched) == {name}
    assert name in str(stage.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])
