"""Two gateway cells: what stands once for each, and what spans them."""

import json
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from cdk_app.app import build_app
from cdk_app.stages import LOCAL, MAX_CELLS, with_cells

Resources = dict[str, dict[str, Any]]

OF_EACH_CELL = ("gateway-authorize", "gateway-websocket", "gateway-deliver", "gateway-sweep")


@pytest.fixture(scope="module")
def edge() -> Template:
    app = App(analytics_reporting=False)
    build_app(app, with_cells(LOCAL, 2), full=False)
    return Template.from_stack(app.node.find_child("GoChat-local-Edge"))  # type: ignore[arg-type]  # it is a stack


def environments(edge: Template) -> Resources:
    return {
        one["Properties"]["FunctionName"].removeprefix("gochat-local-"): one["Properties"]["Environment"]["Variables"]
        for one in edge.find_resources("AWS::Lambda::Function").values()
        if "Environment" in one["Properties"]  # custom resources have none
    }


def api_ids(edge: Template) -> dict[str, str]:
    """Return the logical ids of the WebSocket APIs by their cells."""
    apis = edge.find_resources("AWS::ApiGatewayV2::Api", {"Properties": {"ProtocolType": "WEBSOCKET"}})
    return {one["Properties"]["Name"].removeprefix("gochat-local-"): name for name, one in apis.items()}


def test_a_stage_has_one_cell_unless_told_otherwise() -> None:
    assert LOCAL.cells == ("g1",)
    assert with_cells(LOCAL, 1) == LOCAL
    assert with_cells(LOCAL, 3).cells == ("g1", "g2", "g3")
    for count in (0, -1, MAX_CELLS + 1):
        with pytest.raises(ValueError, match="gateways"):
            with_cells(LOCAL, count)


def test_each_cell_has_its_api_and_its_functions(edge: Template) -> None:
    assert set(api_ids(edge)) == {"g1", "g2"}
    told = environments(edge)
    for cell in ("g1", "g2"):
        for function in OF_EACH_CELL:
            assert told[f"{function}-{cell}"]["GOCHAT_CELL_ID"] == cell


def test_the_deliver_of_each_cell_reads_its_own_topic_and_posts_to_its_own_api(edge: Template) -> None:
    mappings = edge.find_resources("AWS::Lambda::EventSourceMapping").values()
    topics = {one["Properties"]["Topics"][0]: one["Properties"] for one in mappings if "Topics" in one["Properties"]}
    groups = set()
    for cell, api in api_ids(edge).items():
        properties = topics[f"im-downstream-topic-{cell}"]
        groups.add(properties["SelfManagedKafkaEventSourceConfig"]["ConsumerGroupId"])
        endpoint = environments(edge)[f"gateway-deliver-{cell}"]["GOCHAT_CONNECTIONS_ENDPOINT"]
        assert {"Ref": api} in endpoint["Fn::Join"][1]
    assert len(groups) == 2


def test_the_one_http_api_reaches_the_connections_of_every_cell(edge: Template) -> None:
    told = environments(edge)["gateway-http"]["GOCHAT_CONNECTIONS_ENDPOINTS"]["Fn::Join"][1]
    refs = [part["Ref"] for part in told if isinstance(part, dict)]
    written = "".join(part if isinstance(part, str) else part["Ref"] for part in told)
    assert set(json.loads(written)) == {"g1", "g2"}
    assert set(api_ids(edge).values()) <= set(refs)
    role = next(one for name, one in edge.find_resources("AWS::IAM::Role").items() if name.startswith("GatewayHttp"))
    allowed = json.dumps(
        [
            statement["Resource"]
            for policy in role["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            if "execute-api:ManageConnections" in statement["Action"]
        ]
    )
    for api in api_ids(edge).values():
        assert api in allowed


def test_each_cell_tells_its_address(edge: Template) -> None:
    outputs = edge.find_outputs("*")
    assert {"WebSocketUrl", "WebSocketUrlG2"} <= set(outputs)
