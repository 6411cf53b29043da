"""CloudFormation on the local AWS deploys the types that our templates use, and updates them."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

from .conftest import LocalAws
from .websocket_api import WebSocketApi, exchange

SOURCE = "import json\ndef handler(event, context): return {'statusCode': 200, 'body': json.dumps(event)}\n"
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    },
}
FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": SOURCE},
    },
}
INVOCATION_URI = {
    "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
}
MAPPING = {
    "FunctionName": {"Ref": "Function"},
    "Topics": ["im-upstream-topic"],
    "StartingPosition": "TRIM_HORIZON",
    "SelfManagedEventSource": {"Endpoints": {"KafkaBootstrapServers": ["127.0.0.1:9092"]}},
    "SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": "upstream"},
    "ProvisionedPollerConfig": {"MinimumPollers": 1, "MaximumPollers": 2},
    "BatchSize": 300,
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRetryAttempts": 10000,
    "MaximumRecordAgeInSeconds": -1,
    "BisectBatchOnFunctionError": True,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "DestinationConfig": {"OnFailure": {"Destination": "kafka://im-dead-letter-topic"}},
    "FilterCriteria": {"Filters": [{"Pattern": '{"value":{"a":[1]}}'}]},
}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def mock_route(api: dict[str, Any]) -> dict[str, Any]:
    """Give the resources of a route that the API answers itself."""
    return {
        "Mock": resource(
            "AWS::ApiGatewayV2::Integration", **api, IntegrationType="MOCK", TemplateSelectionExpression="200",
            RequestTemplates={"200": '{"statusCode":200}'},
        ),
        "MockResponse": resource(
            "AWS::ApiGatewayV2::IntegrationResponse", **api, IntegrationId={"Ref": "Mock"},
            IntegrationResponseKey="$default", TemplateSelectionExpression="200",
            ResponseTemplates={"200": '{"event":"pong"}'},
        ),
        "Ping": resource(
            "AWS::ApiGatewayV2::Route", **api, RouteKey="ping", RouteResponseSelectionExpression="$default",
            Target={"Fn::Join": ["/", ["integrations", {"Ref": "Mock"}]]},
        ),
        "PingResponse": resource(
            "AWS::ApiGatewayV2::RouteResponse", **api, RouteId={"Ref": "Ping"}, RouteResponseKey="$default"
        ),
    }  # fmt: skip


def websocket_template() -> dict[str, Any]:
    api = {"ApiId": {"Ref": "Api"}}
    return {
        "Resources": {
            "Role": ROLE,
            "Function": FUNCTION,
            "Api": resource(
                "AWS::ApiGatewayV2::Api", Name="ws", ProtocolType="WEBSOCKET", Tags={"ms-custom-id": "0badcafe"},
                RouteSelectionExpression="$request.body.action",
            ),
            "Integration": resource(
                "AWS::ApiGatewayV2::Integration", **api, IntegrationType="AWS_PROXY", IntegrationUri=INVOCATION_URI
            ),
            "Route": resource(
                "AWS::ApiGatewayV2::Route", **api, RouteKey="$default", RouteResponseSelectionExpression="$default",
                Target={"Fn::Join": ["/", ["integrations", {"Ref": "Integration"}]]},
            ),
            "RouteResponse": resource(
                "AWS::ApiGatewayV2::RouteResponse", **api, RouteId={"Ref": "Route"}, RouteResponseKey="$default"
            ),
            **mock_route(api),
            "Deployment": {
                **resource("AWS::ApiGatewayV2::Deployment", **api),
                "DependsOn": ["Route", "Ping"],
            },
            "Stage": resource(
                "AWS::ApiGatewayV2::Stage", **api, StageName="test", DeploymentId={"Ref": "Deployment"}
            ),
        },
        "Outputs": {"ApiId": {"Value": {"Ref": "Api"}}},
    }  # fmt: skip


def deploy(aws: LocalAws, name: str, template: dict[str, Any], *, update: bool = False) -> dict[str, str]:
    """Create or update a stack and give its outputs."""
    client = aws.client("cloudformation")
    operation = client.update_stack if update else client.create_stack
    operation(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    waiter = client.get_waiter("stack_update_complete" if update else "stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def test_a_websocket_api_with_route_responses_and_a_mock_deploys_and_updates(aws: LocalAws) -> None:
    template = websocket_template()
    outputs = deploy(aws, "websocket", template)
    assert outputs == {"ApiId": "0badcafe"}
    api = WebSocketApi(aws=aws, api_id=outputs["ApiId"])
    with api.connect() as socket:
        assert exchange(socket, '{"action":"ping"}') == {"event": "pong"}
        assert exchange(socket, '{"a":1}')["body"] == '{"a":1}'
    template["Resources"]["MockResponse"]["Properties"]["ResponseTemplates"] = {"200": '{"event":"PONG"}'}
    deploy(aws, "websocket", template, update=True)
    with api.connect() as socket:
        assert exchange(socket, '{"action":"ping"}') == {"event": "PONG"}
    aws.client("cloudformation").delete_stack(StackName="websocket")


def test_a_kafka_mapping_reads_back_in_full_and_after_an_update(aws: LocalAws) -> None:
    """Lambda: CreateEventSourceMapping, GetEventSourceMapping; CloudFormation: AWS::Lambda::EventSourceMapping."""
    template = {"Resources": {"Role": ROLE, "Function": FUNCTION,
                              "Mapping": resource("AWS::Lambda::EventSourceMapping", **MAPPING)},
                "Outputs": {"Mapping": {"Value": {"Ref": "Mapping"}}}}  # fmt: skip
    mapping_id = deploy(aws, "mapping", template)["Mapping"]
    client = aws.client("lambda")
    expected = {name: value for name, value in MAPPING.items() if name != "FunctionName"}
    expected["SelfManagedEventSource"] = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["127.0.0.1:9092"]}}
    read = client.get_event_source_mapping(UUID=mapping_id)
    assert {name: read.get(name) for name in expected} == expected
    assert "EventSourceArn" not in read
    assert read["State"] == "Enabled"
    listed = client.list_event_source_mappings()["EventSourceMappings"]
    assert next(each for each in listed if each["UUID"] == mapping_id)["Topics"] == ["im-upstream-topic"]

    changed = copy.deepcopy(template)
    properties = changed["Resources"]["Mapping"]["Properties"]
    properties["BatchSize"], properties["Enabled"] = 50, False
    properties["ProvisionedPollerConfig"] = {"MinimumPollers": 2, "MaximumPollers": 4}
    assert deploy(aws, "mapping", changed, update=True)["Mapping"] == mapping_id
    read = client.get_event_source_mapping(UUID=mapping_id)
    assert (read["BatchSize"], read["State"]) == (50, "Disabled")
    assert read["ProvisionedPollerConfig"] == {"MinimumPollers": 2, "MaximumPollers": 4}
    assert read["SelfManagedKafkaEventSourceConfig"] == {"ConsumerGroupId": "upstream"}

    properties["SelfManagedKafkaEventSourceConfig"] = {"ConsumerGroupId": "other"}
    replacement = deploy(aws, "mapping", changed, update=True)["Mapping"]
    assert replacement != mapping_id
    mappings = client.list_event_source_mappings()["EventSourceMappings"]
    assert mapping_id not in [each["UUID"] for each in mappings]


def test_a_kafka_mapping_by_the_api_has_awss_defaults(aws: LocalAws) -> None:
    """Lambda: CreateEventSourceMapping: BatchSize 100, ConsumerGroupId the mapping's UUID, which cannot be changed."""
    aws.create_function("mapped", SOURCE)
    client = aws.client("lambda")
    created = client.create_event_source_mapping(
        FunctionName="mapped", Topics=["t"], StartingPosition="LATEST",
        SelfManagedEventSource={"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["127.0.0.1:9092"]}},
    )  # fmt: skip
    assert created["BatchSize"] == 100
    assert created["SelfManagedKafkaEventSourceConfig"] == {"ConsumerGroupId": created["UUID"]}
    assert "MaximumBatchingWindowInSeconds" not in created
    updated = client.update_event_source_mapping(
        UUID=created["UUID"], BatchSize=7, MaximumRetryAttempts=3, BisectBatchOnFunctionError=True, Enabled=False,
        DestinationConfig={"OnFailure": {"Destination": "kafka://dead"}},
    )  # fmt: skip
    assert (updated["BatchSize"], updated["MaximumRetryAttempts"], updated["State"]) == (7, 3, "Disabled")
    assert updated["Topics"] == ["t"]
    assert client.get_event_source_mapping(UUID=created["UUID"])["DestinationConfig"] == {
        "OnFailure": {"Destination": "kafka://dead"}
    }
    client.delete_event_source_mapping(UUID=created["UUID"])
    assert client.list_event_source_mappings(FunctionName="mapped")["EventSourceMappings"] == []


def test_resources_without_a_local_effect_deploy(aws: LocalAws) -> None:
    template = {
        "Resources": {
            "Query": resource("AWS::Logs::QueryDefinition", Name="q", QueryString="fields @message"),
            "Group": resource("AWS::XRay::Group", GroupName="g"),
            "Alarm": resource("AWS::CloudWatch::CompositeAlarm", AlarmName="a", AlarmRule="FALSE"),
        }
    }
    deploy(aws, "inert", template)


def test_a_custom_resource_whose_function_raises_fails_the_stack_with_its_reason(aws: LocalAws) -> None:
    function = copy.deepcopy(FUNCTION)
    function["Properties"]["Code"] = {  # type: ignore[index]
        "ZipFile": "def handler(event, context):\n"
        "    if event['RequestType'] == 'Create': raise ValueError('no such broker')\n"
    }
    template = {
        "Resources": {
            "Role": ROLE,
            "Function": function,
            "Custom": resource("Custom::Failing", ServiceToken={"Fn::GetAtt": ["Function", "Arn"]}, ServiceTimeout="5"),
        }
    }
    client = aws.client("cloudformation")
    client.create_stack(
        StackName="failing", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"], OnFailure="DO_NOTHING"
    )
    deadline = time.monotonic() + 20
    while not (reason := failure_reason(client, "failing")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "ValueError: no such broker" in reason


def failure_reason(client: Any, stack: str) -> str:
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    reasons = (
        event.get("ResourceStatusReason", "")
        for event in events
        if event["ResourceStatus"] == "CREATE_FAILED" and event["LogicalResourceId"] == "Custom"
    )
    return next(reasons, "")
