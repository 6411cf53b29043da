"""How the functions consume their topics: nothing is lost, nothing waits."""

import pytest

from tests.infrastructure.synthesis import Resource, Synthesis

CONSUMERS = {
    "logic-upstream": ("im-upstream-topic", 300),
    "task-worker": ("im-task-topic", 20),
    "task-push": ("im-push-topic", 100),
    "gateway-deliver": ("im-downstream-topic-g1", 100),
    "gateway-deliver-bulk": ("im-downstream-bulk-topic-g1", 20),
}


def _mappings(stage: Synthesis) -> dict[str, Resource]:
    by_id = {stage.called(name): name for name in stage.functions()}
    return {
        by_id[mapping.properties["FunctionName"]["Ref"]]: mapping
        for mapping in stage.resources("AWS::Lambda::EventSourceMapping")
        if "Topics" in mapping.properties
    }


def _group(mapping: Resource) -> str:
    configs = ("AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig")
    (group,) = [mapping.properties[name]["ConsumerGroupId"] for name in configs if name in mapping.properties]
    return str(group)


def test_each_consumer_reads_its_one_topic_in_its_batches(stage: Synthesis) -> None:
    mappings = _mappings(stage)
    assert {
        name: (mapping.properties["Topics"], mapping.properties["BatchSize"]) for name, mapping in mappings.items()
    } == {name: ([topic], size) for name, (topic, size) in CONSUMERS.items()}


def test_consumer_groups_are_fixed_and_each_has_its_own(stage: Synthesis) -> None:
    groups = {name: _group(mapping) for name, mapping in _mappings(stage).items()}
    assert groups == {
        "logic-upstream": f"gochat-{stage.stage}-logic-upstream",
        "task-worker": f"gochat-{stage.stage}-task-worker",
        "task-push": f"gochat-{stage.stage}-task-push",
        "gateway-deliver": f"gochat-{stage.stage}-gateway-deliver-g1",
        "gateway-deliver-bulk": f"gochat-{stage.stage}-gateway-deliver-bulk-g1",
    }


def test_mappings_begin_with_the_oldest_record_and_never_wait_for_more(stage: Synthesis) -> None:
    for mapping in _mappings(stage).values():
        assert mapping.properties["StartingPosition"] == "TRIM_HORIZON"
        assert mapping.properties["MaximumBatchingWindowInSeconds"] == 0


@pytest.mark.parametrize("name", ["local", "prod"])
def test_provisioned_mappings_retry_and_bisect_and_honour_partial_batches(
    syntheses: dict[str, Synthesis], name: str
) -> None:
    stage = syntheses[name]
    for function, mapping in _mappings(stage).items():
        properties = mapping.properties
        assert properties["ProvisionedPollerConfig"]["MinimumPollers"] >= 1
        assert properties["MaximumRetryAttempts"] == 10_000
        assert properties["BisectBatchOnFunctionError"] is True
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert stage.environment(function)["GOCHAT_PARTIAL_BATCH"] == "true"


def test_on_demand_mappings_name_nothing_that_needs_provisioned_mode(dev: Synthesis) -> None:
    provisioned_only = {
        "ProvisionedPollerConfig",
        "MaximumRetryAttempts",
        "BisectBatchOnFunctionError",
        "FunctionResponseTypes",
    }
    for function, mapping in _mappings(dev).items():
        assert not provisioned_only & set(mapping.properties)
        assert dev.environment(function)["GOCHAT_PARTIAL_BATCH"] == "false"


def test_no_record_is_given_up_for_its_age_or_sent_elsewhere(stage: Synthesis) -> None:
    for mapping in _mappings(stage).values():
        assert not {"MaximumRecordAgeInSeconds", "DestinationConfig"} & set(mapping.properties)


def test_mappings_read_the_managed_cluster_by_its_arn(managed_stage: Synthesis) -> None:
    for mapping in _mappings(managed_stage).values():
        assert "Cluster" in mapping.properties["EventSourceArn"]["Fn::ImportValue"]
        assert "SelfManagedEventSource" not in mapping.properties


def test_mappings_read_an_external_cluster_by_its_addresses(local: Synthesis) -> None:
    for mapping in _mappings(local).values():
        servers = mapping.properties["SelfManagedEventSource"]["Endpoints"]["KafkaBootstrapServers"]
        assert servers == {"Fn::Split": [",", {"Ref": "KafkaBootstrap"}]}


def test_each_consumer_s_role_may_read_its_topic_in_its_group(managed_stage: Synthesis) -> None:
    for function, (topic, _) in CONSUMERS.items():
        by_action = {a: s["Resource"] for s in managed_stage.statements(function) for a in s["Action"]}
        assert str(by_action["kafka-cluster:ReadData"]).endswith(f"/{topic}']]}}]")
        assert _group(_mappings(managed_stage)[function]) in str(by_action["kafka-cluster:AlterGroup"])
        assert {"kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:DescribeTopic"} <= set(
            by_action
        )
        assert {"kafka-cluster:DescribeGroup", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"} <= set(by_action)


def test_on_demand_mappings_imply_the_endpoints_that_their_pollers_need(syntheses: dict[str, Synthesis]) -> None:
    def endpoints(stage: Synthesis) -> set[str]:
        return {
            endpoint.properties["ServiceName"].rsplit(".", 1)[-1]
            for endpoint in stage.resources("AWS::EC2::VPCEndpoint")
        }

    assert endpoints(syntheses["dev"]) == {"secretsmanager", "lambda", "sts"}
    assert endpoints(syntheses["prod"]) == {"secretsmanager"}, "provisioned pollers need neither lambda nor sts"


def test_the_pollers_security_group_lets_itself_in_to_the_broker_and_out_to_it(managed_stage: Synthesis) -> None:
    def own(kind: str, peer: str) -> bool:
        rules = [rule.properties for rule in managed_stage.resources(f"AWS::EC2::SecurityGroup{kind}")]
        return any(rule["FromPort"] == 9098 and rule["GroupId"] == rule[peer] for rule in rules)

    # Lambda's pollers wear the broker's own group.
    assert own("Ingress", "SourceSecurityGroupId")
    assert own("Egress", "DestinationSecurityGroupId")
