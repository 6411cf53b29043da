"""Who makes the topics, and that nothing reads or writes one before it is there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.synthesis import Resource, Synthesis

BY_FUNCTION = ["local", "external", "serverless", "external-msk", "external-mtls", "external-own-topics"]
BY_CLOUDFORMATION = ["dev", "prod", "express"]


@pytest.fixture(params=BY_FUNCTION)
def by_function(request: pytest.FixtureRequest, syntheses: dict[str, Synthesis]) -> Synthesis:
    """Each kind of Kafka whose topics a function makes, in turn."""
    return syntheses[request.param]


def _behind(stage: Synthesis, resource: Resource) -> set[str]:
    """Name all that is deployed before a resource, in its stack."""
    template = stage.templates[resource.stack]["Resources"]
    found: set[str] = set()
    pending = [resource.logical_id]
    while pending:
        body = template[pending.pop()]
        named = body.get("DependsOn", [])
        new = {*([named] if isinstance(named, str) else named), *_named(body.get("Properties", {}))} & template.keys()
        pending += new - found
        found |= new
    return found


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    elif isinstance(value, dict):
        if "Ref" in value:
            yield value["Ref"]
        if isinstance(value.get("Fn::GetAtt"), list):
            yield value["Fn::GetAtt"][0]
        for one in value.values():
            yield from _named(one)


@pytest.mark.parametrize("name", BY_CLOUDFORMATION)
def test_topics_of_provisioned_msk_are_cloudformation_s(syntheses: dict[str, Synthesis], name: str) -> None:
    stage = syntheses[name]
    assert len(stage.resources("AWS::MSK::Topic")) == 6
    assert not stage.resources("Custom::KafkaTopics")
    assert "repo-topics" not in stage.functions()


def test_every_other_topic_is_made_by_one_function(by_function: Synthesis) -> None:
    assert not by_function.resources("AWS::MSK::Topic")
    topics = by_function.one("Custom::KafkaTopics")
    assert topics.properties["FunctionName"] == {"Ref": by_function.functions()["repo-topics"].logical_id}
    named = {topic["name"] for topic in json.loads(topics.properties["Topics"])}
    read = {
        mapping.properties["Topics"][0]
        for mapping in by_function.resources("AWS::Lambda::EventSourceMapping")
        if "Topics" in mapping.properties
    }
    assert read | {"im-dead-letter-topic"} == named


def test_functions_and_mappings_wait_for_the_topics(by_function: Synthesis) -> None:
    topics = by_function.one("Custom::KafkaTopics").logical_id
    functions = by_function.functions()
    for name in ("logic-upstream", "logic-rpc", "logic-sweep", "task-worker", "task-sweep", "task-push"):
        assert topics in _behind(by_function, functions[name]), name
    for mapping in by_function.resources("AWS::Lambda::EventSourceMapping", stack="Services"):
        if "Topics" in mapping.properties:
            assert topics in _behind(by_function, mapping)


def test_the_maker_of_topics_stands_where_the_producers_stand(by_function: Synthesis) -> None:
    maker, producer = (by_function.functions()[name].properties for name in ("repo-topics", "logic-upstream"))
    assert maker.get("VpcConfig") == producer.get("VpcConfig")
    told = by_function.environment("repo-topics")
    assert told.items() <= by_function.environment("logic-upstream").items()


def test_who_runs_it_stands_where_cloudformation_can_be_answered(by_function: Synthesis) -> None:
    runner = by_function.functions()["services-kafka-topics"].properties
    assert "VpcConfig" not in runner
    assert runner["Timeout"] > by_function.functions()["repo-topics"].properties["Timeout"]


def test_an_owner_who_makes_the_topics_is_told_which_and_is_asked_for_no_right_to_make_them(
    syntheses: dict[str, Synthesis],
) -> None:
    stage = syntheses["external-own-topics"]
    assert stage.one("Custom::KafkaTopics").properties["Create"] == "false"
    assert "im-upstream-topic (24)" in stage.templates["Services"]["Outputs"]["TopicsToMake"]["Value"]
    for name in ("local", "external", "external-mtls"):
        assert "TopicsToMake" not in syntheses[name].templates["Services"]["Outputs"]


def test_msk_serverless_takes_iam_alone_in_two_zones_of_private_subnets(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["serverless"]
    cluster = stage.one("AWS::MSK::ServerlessCluster").properties
    assert cluster["ClientAuthentication"] == {"Sasl": {"Iam": {"Enabled": True}}}
    (network,) = cluster["VpcConfigs"]
    assert len(network["SubnetIds"]) == 2
    assert len(network["SecurityGroups"]) == 1
    assert not stage.resources("AWS::MSK::Cluster", "AWS::MSK::Configuration")


def test_msk_serverless_is_read_and_written_with_iam(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["serverless"]
    for mapping in stage.resources("AWS::Lambda::EventSourceMapping"):
        if "Topics" in mapping.properties:
            assert "Serverless" in str(mapping.properties["EventSourceArn"])
    writes = {"kafka-cluster:WriteData", "kafka-cluster:WriteDataIdempotently"}
    assert writes <= stage.actions("logic-upstream")
    assert stage.environment("logic-upstream")["GOCHAT_KAFKA_AUTH"] == "iam"
    groups = stage.resources("AWS::EC2::SecurityGroupIngress")
    assert {rule.properties["FromPort"] for rule in groups} >= {9098}
