"""The managed stores: encrypted, private, reached with IAM, and hard to lose."""

import base64

from tests.infrastructure.synthesis import Synthesis


def test_the_local_stage_has_no_managed_store_and_no_network(local: Synthesis) -> None:
    assert set(local.templates) == {"Media", "Discovery", "Services", "Edge"}
    services = {resource.type.split("::")[1] for resource in local.resources() if "::" in resource.type}
    assert not services & {"EC2", "RDS", "ElastiCache", "MSK"}


def test_stores_have_stacks_of_their_own(managed_stage: Synthesis) -> None:
    keyed = {"Key"} if managed_stage.stage == "prod" else set()
    assert (
        set(managed_stage.templates) >= {"Network", "Data", "Broker", "Media", "Discovery", "Services", "Edge"} | keyed
    )


def test_the_database_is_encrypted_and_takes_iam_over_tls(managed_stage: Synthesis) -> None:
    cluster = managed_stage.one("AWS::RDS::DBCluster").properties
    assert cluster["StorageEncrypted"] is True
    assert cluster["EnableIAMDatabaseAuthentication"] is True
    parameters = managed_stage.one("AWS::RDS::DBClusterParameterGroup").properties["Parameters"]
    assert parameters["require_secure_transport"] == "ON"


def test_the_database_is_not_public(managed_stage: Synthesis) -> None:
    for instance in managed_stage.resources("AWS::RDS::DBInstance"):
        assert instance.properties["PubliclyAccessible"] is False
        assert instance.properties["DBInstanceClass"] == "db.serverless"
        assert instance.properties["AutoMinorVersionUpgrade"] is False


def test_the_database_refuses_deletion_and_leaves_its_data(managed_stage: Synthesis) -> None:
    cluster = managed_stage.one("AWS::RDS::DBCluster")
    assert cluster.properties["DeletionProtection"] is True
    assert cluster.body["DeletionPolicy"] == ("RetainExceptOnCreate" if managed_stage.stage == "prod" else "Snapshot")
    assert cluster.properties["BackupRetentionPeriod"] >= 1


def test_dev_pauses_to_zero_and_drops_idle_connections_that_would_keep_it_awake(dev: Synthesis) -> None:
    scaling = dev.one("AWS::RDS::DBCluster").properties["ServerlessV2ScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["SecondsUntilAutoPause"]) == (0, 300)
    assert dev.one("AWS::RDS::DBParameterGroup").properties["Parameters"]["wait_timeout"] == "60"


def test_every_instance_has_the_parameters_that_the_sql_relies_on(managed_stage: Synthesis) -> None:
    group = managed_stage.one("AWS::RDS::DBParameterGroup")
    assert group.properties["Parameters"]["transaction_isolation"] == "READ-COMMITTED"
    for instance in managed_stage.resources("AWS::RDS::DBInstance"):
        assert instance.properties["DBParameterGroupName"] == {"Ref": group.logical_id}


def test_prod_never_pauses_and_has_a_reader_elsewhere(prod: Synthesis) -> None:
    scaling = prod.one("AWS::RDS::DBCluster").properties["ServerlessV2ScalingConfiguration"]
    assert scaling["MinCapacity"] > 0
    assert "SecondsUntilAutoPause" not in scaling
    assert len(prod.resources("AWS::RDS::DBInstance")) == 2


def test_the_engine_has_long_term_support(managed_stage: Synthesis) -> None:
    version = managed_stage.one("AWS::RDS::DBCluster").properties["EngineVersion"]
    assert version.startswith("8.0.mysql_aurora.3.10.")


def test_the_cache_takes_one_user_by_iam(managed_stage: Synthesis) -> None:
    cache = managed_stage.one("AWS::ElastiCache::ServerlessCache").properties
    user = managed_stage.one("AWS::ElastiCache::User").properties
    group = managed_stage.one("AWS::ElastiCache::UserGroup")
    assert user["AuthenticationMode"] == {"Type": "iam"}
    assert user["UserId"] == user["UserName"] == managed_stage.environment("logic-rpc")["GOCHAT_REDIS_USER"]
    assert group.properties["UserIds"] == [user["UserId"]]
    assert cache["UserGroupId"] == {"Ref": group.logical_id}
    assert cache["ServerlessCacheName"] == managed_stage.environment("logic-rpc")["GOCHAT_REDIS_CACHE_NAME"]
    assert cache["ServerlessCacheName"].islower()
    assert "-@dangerous" in user["AccessString"]


def test_the_cache_s_bill_has_a_ceiling(managed_stage: Synthesis) -> None:
    limits = managed_stage.one("AWS::ElastiCache::ServerlessCache").properties["CacheUsageLimits"]
    assert limits["DataStorage"]["Maximum"] > 0
    assert limits["ECPUPerSecond"]["Maximum"] > 0


def test_the_broker_takes_iam_over_tls_and_nothing_else(managed_stage: Synthesis) -> None:
    cluster = managed_stage.one("AWS::MSK::Cluster").properties
    assert cluster["ClientAuthentication"] == {
        "Sasl": {"Iam": {"Enabled": True}},
        "Unauthenticated": {"Enabled": False},
    }
    assert cluster["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}
    assert cluster["BrokerNodeGroupInfo"]["ConnectivityInfo"]["PublicAccess"] == {"Type": "DISABLED"}


def test_brokers_are_spread_evenly_over_the_zones(managed_stage: Synthesis) -> None:
    cluster = managed_stage.one("AWS::MSK::Cluster").properties
    assert cluster["NumberOfBrokerNodes"] % len(cluster["BrokerNodeGroupInfo"]["ClientSubnets"]) == 0


def test_no_subnet_lies_in_the_zone_that_msk_refuses(managed_stage: Synthesis) -> None:
    for subnet in managed_stage.resources("AWS::EC2::Subnet"):
        assert subnet.properties["AvailabilityZoneId"] != "use1-az3"
        assert "AvailabilityZone" not in subnet.properties, "names mean another zone in every account"


def test_topics_stand_with_their_partitions_and_survive_their_stack(managed_stage: Synthesis) -> None:
    topics = {t.properties["TopicName"]: t for t in managed_stage.resources("AWS::MSK::Topic")}
    assert set(topics) == {
        "im-upstream-topic",
        "im-task-topic",
        "im-push-topic",
        "im-downstream-topic-g1",
        "im-downstream-bulk-topic-g1",
        "im-dead-letter-topic",
    }
    for topic in topics.values():
        assert topic.body["DeletionPolicy"] == "RetainExceptOnCreate"
        configs = base64.b64decode(topic.properties["Configs"]).decode().splitlines()
        assert "retention.ms=604800000" in configs


def test_prod_acknowledges_what_two_replicas_hold(prod: Synthesis) -> None:
    for topic in prod.resources("AWS::MSK::Topic"):
        assert topic.properties["ReplicationFactor"] == 3
        assert "min.insync.replicas=2" in base64.b64decode(topic.properties["Configs"]).decode().splitlines()
    properties = prod.one("AWS::MSK::Configuration").properties["ServerProperties"].splitlines()
    assert "unclean.leader.election.enable=false" in properties
    assert "auto.create.topics.enable=false" in properties


def test_a_change_of_the_brokers_configuration_reaches_them(managed_stage: Synthesis) -> None:
    configuration = managed_stage.one("AWS::MSK::Configuration").logical_id
    info = managed_stage.one("AWS::MSK::Cluster").properties["ConfigurationInfo"]
    assert info["Revision"] == {"Fn::GetAtt": [configuration, "LatestRevision.Revision"]}


def test_nothing_leads_from_the_network_to_the_internet(managed_stage: Synthesis) -> None:
    ways_out = (
        "AWS::EC2::NatGateway",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::EIP",
        "AWS::EC2::EgressOnlyInternetGateway",
    )
    assert not managed_stage.resources(*ways_out)
    for subnet in managed_stage.resources("AWS::EC2::Subnet"):
        assert subnet.properties["MapPublicIpOnLaunch"] is False


def test_no_security_group_names_an_address_range(managed_stage: Synthesis) -> None:
    for rule in managed_stage.resources("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
        assert not {"CidrIp", "CidrIpv6"} & set(rule.properties)
    for group in managed_stage.resources("AWS::EC2::SecurityGroup"):
        assert "SecurityGroupIngress" not in group.properties
        # CDK's way of writing "nothing may leave": a rule that no packet matches.
        assert [rule["CidrIp"] for rule in group.properties.get("SecurityGroupEgress", [])] in (
            [],
            ["255.255.255.255/32"],
        )


def test_endpoints_stand_in_private_subnets_under_their_usual_names(managed_stage: Synthesis) -> None:
    for endpoint in managed_stage.resources("AWS::EC2::VPCEndpoint"):
        assert endpoint.properties["VpcEndpointType"] == "Interface"
        assert endpoint.properties["PrivateDnsEnabled"] is True


def test_brokers_are_looked_up_again_when_their_number_changes(managed_stage: Synthesis) -> None:
    lookups = managed_stage.resources("Custom::BootstrapBrokers")
    assert {lookup.stack for lookup in lookups} == {"Services", "Edge"}
    brokers = managed_stage.one("AWS::MSK::Cluster").properties["NumberOfBrokerNodes"]
    assert {lookup.properties["Brokers"] for lookup in lookups} == {str(brokers)}


def test_stateful_stacks_of_prod_refuse_deletion(prod: Synthesis) -> None:
    import json

    manifest = json.loads((prod.folder / "manifest.json").read_text())["artifacts"]
    protected = {
        name.rsplit("-", 1)[-1]
        for name, artifact in manifest.items()
        if artifact["type"] == "aws:cloudformation:stack" and artifact["properties"].get("terminationProtection")
    }
    assert protected == {"Key", "Data", "Broker", "Media"}
