"""The APIs: who gets in, what answers, what is limited and what is logged."""

import json
from typing import Any

from gateway.websocket.reply import ONE_WAY_ROUTES
from tests.infrastructure.synthesis import Resource, Synthesis


def _websocket_api(stage: Synthesis) -> Resource:
    (api,) = [a for a in stage.resources("AWS::ApiGatewayV2::Api") if a.properties["ProtocolType"] == "WEBSOCKET"]
    return api


def _http_api(stage: Synthesis) -> Resource:
    (api,) = [a for a in stage.resources("AWS::ApiGatewayV2::Api") if a.properties["ProtocolType"] == "HTTP"]
    return api


def _routes(stage: Synthesis) -> dict[str, Resource]:
    api = {"Ref": _websocket_api(stage).logical_id}
    return {
        route.properties["RouteKey"]: route
        for route in stage.resources("AWS::ApiGatewayV2::Route")
        if route.properties["ApiId"] == api
    }


def _integration(stage: Synthesis, route: Resource) -> dict[str, Any]:
    (_, parts) = route.properties["Target"]["Fn::Join"]
    resource = stage.templates["Edge"]["Resources"][parts[1]["Ref"]]
    properties: dict[str, Any] = resource["Properties"]
    return properties


def test_frames_are_routed_by_their_action(stage: Synthesis) -> None:
    assert _websocket_api(stage).properties["RouteSelectionExpression"] == "$request.body.action"
    assert set(_routes(stage)) == {"$connect", "$disconnect", "$default", "typing", "ping"}


def test_the_connection_is_authorized_by_a_function_without_identity_sources(stage: Synthesis) -> None:
    authorizer = stage.one("AWS::ApiGatewayV2::Authorizer")
    assert authorizer.properties["AuthorizerType"] == "REQUEST"
    # Any identity source makes API Gateway itself refuse who lacks it: browsers can't set headers.
    assert authorizer.properties["IdentitySource"] == []
    function = stage.called("gateway-authorize")
    assert function in str(authorizer.properties["AuthorizerUri"])
    connect = _routes(stage)["$connect"].properties
    assert (connect["AuthorizationType"], connect["AuthorizerId"]) == ("CUSTOM", {"Ref": authorizer.logical_id})


def test_every_frame_but_ping_reaches_the_websocket_function(stage: Synthesis) -> None:
    function = stage.called("gateway-websocket")
    for key in ("$connect", "$disconnect", "$default", "typing"):
        integration = _integration(stage, _routes(stage)[key])
        assert integration["IntegrationType"] == "AWS_PROXY"
        assert function in str(integration["IntegrationUri"])


def test_routes_that_answer_on_the_socket_have_a_route_response(stage: Synthesis) -> None:
    answered = {
        response.properties["RouteId"]["Ref"] for response in stage.resources("AWS::ApiGatewayV2::RouteResponse")
    }
    routes = _routes(stage)
    assert answered == {routes["$default"].logical_id, routes["ping"].logical_id}
    for response in stage.resources("AWS::ApiGatewayV2::RouteResponse"):
        assert response.properties["RouteResponseKey"] == "$default"
    for key in ("$default", "ping"):
        assert routes[key].properties["RouteResponseSelectionExpression"] == "$default"
    assert set(routes) - {"$connect", "$disconnect", "$default", "ping"} == ONE_WAY_ROUTES


def test_every_route_of_the_websocket_function_may_invoke_it(stage: Synthesis) -> None:
    function = stage.called("gateway-websocket")
    permitted = [
        json.dumps(permission.properties["SourceArn"])
        for permission in stage.resources("AWS::Lambda::Permission")
        if function in json.dumps(permission.properties["FunctionName"])
    ]
    for key in ("$connect", "$disconnect", "$default", "typing"):
        assert any(f"*{key}" in source for source in permitted), (key, permitted)


def test_ping_is_answered_by_the_api_itself(stage: Synthesis) -> None:
    integration = _integration(stage, _routes(stage)["ping"])
    assert integration["IntegrationType"] == "MOCK"
    selected = integration["TemplateSelectionExpression"]
    assert json.loads(integration["RequestTemplates"][selected]) == {"statusCode": 200}
    response = stage.one("AWS::ApiGatewayV2::IntegrationResponse").properties
    assert json.loads(response["ResponseTemplates"][response["TemplateSelectionExpression"]]) == {"event": "pong"}


def test_every_path_of_the_http_api_reaches_one_function(stage: Synthesis) -> None:
    routes = [r for r in stage.resources("AWS::ApiGatewayV2::Route") if r.logical_id not in _ids(_routes(stage))]
    assert [route.properties["RouteKey"] for route in routes] == ["$default"]
    integration = _integration(stage, routes[0])
    assert integration["PayloadFormatVersion"] == "2.0"
    assert stage.called("gateway-http") in str(integration["IntegrationUri"])


def _ids(resources: dict[str, Resource]) -> set[str]:
    return {resource.logical_id for resource in resources.values()}


def test_both_stages_are_throttled_below_the_account_s_quota_together(managed_stage: Synthesis) -> None:
    stages = [s.properties["DefaultRouteSettings"] for s in managed_stage.resources("AWS::ApiGatewayV2::Stage")]
    assert len(stages) == 2
    assert sum(settings["ThrottlingRateLimit"] for settings in stages) <= 10_000
    assert all(settings["ThrottlingBurstLimit"] > 0 for settings in stages)


def test_both_stages_deploy_their_changes_themselves(stage: Synthesis) -> None:
    names = {s.properties["StageName"]: s.properties["AutoDeploy"] for s in stage.resources("AWS::ApiGatewayV2::Stage")}
    assert names == {stage.stage: True, "$default": True}


def test_access_logs_hold_neither_query_strings_nor_bodies(stage: Synthesis) -> None:
    for api_stage in stage.resources("AWS::ApiGatewayV2::Stage"):
        settings = api_stage.properties["AccessLogSettings"]
        assert len(settings["Format"]) <= 3_000
        assert settings["DestinationArn"]
        fields = set(json.loads(settings["Format"]).values())
        assert "$context.requestId" in fields
        assert not [field for field in fields if "query" in field.lower() or "input" in field or "header" in field]
        assert not api_stage.properties["DefaultRouteSettings"].get("DataTraceEnabled")


def test_the_account_may_write_logs_and_keeps_that_when_the_stack_goes(stage: Synthesis) -> None:
    account = stage.one("AWS::ApiGateway::Account")
    assert account.body["DeletionPolicy"] == "Retain"
    role = stage.templates["Edge"]["Resources"][account.properties["CloudWatchRoleArn"]["Fn::GetAtt"][0]]
    assert role["DeletionPolicy"] == "Retain"
    for api_stage in stage.resources("AWS::ApiGatewayV2::Stage"):
        assert account.logical_id in api_stage.body["DependsOn"]


def test_only_the_local_stage_pins_the_ids_of_its_apis(syntheses: dict[str, Synthesis]) -> None:
    def pinned(stage: Synthesis) -> list[str]:
        tags = [api.properties.get("Tags", {}) for api in stage.resources("AWS::ApiGatewayV2::Api")]
        return [found["ms-custom-id"] for found in tags if "ms-custom-id" in found]

    ids = pinned(syntheses["local"])
    assert len(set(ids)) == 2
    assert all(len(api_id) == 8 and int(api_id, 16) for api_id in ids)
    assert pinned(syntheses["dev"]) == pinned(syntheses["prod"]) == []


def test_pages_of_the_stage_s_origins_may_call_with_what_a_client_sends(local: Synthesis, dev: Synthesis) -> None:
    for stage in (local, dev):
        cors = _http_api(stage).properties["CorsConfiguration"]
        assert cors["AllowOrigins"] == ["*"]
        assert set(cors["AllowHeaders"]) == {"authorization", "content-type", "idempotency-key"}
        assert set(cors["ExposeHeaders"]) == {"x-request-id", "retry-after"}
        assert set(cors["AllowMethods"]) == {"GET", "POST", "PUT", "PATCH", "DELETE"}
        assert "AllowCredentials" not in cors, "tokens travel in a header, never in a cookie"


def test_prod_lets_no_page_in_until_its_origin_is_named(prod: Synthesis) -> None:
    assert "CorsConfiguration" not in _http_api(prod).properties


def test_the_rest_door_is_told_its_own_address(managed_stage: Synthesis) -> None:
    (_, parts) = managed_stage.environment("gateway-http")["GOCHAT_HTTP_URL"]["Fn::Join"]
    assert parts[:2] == ["https://", {"Ref": _http_api(managed_stage).logical_id}]


def test_addresses_on_aws_are_the_apis_own(managed_stage: Synthesis) -> None:
    outputs = managed_stage.templates["Edge"]["Outputs"]
    api = _websocket_api(managed_stage).logical_id
    for name, scheme in (("WebSocketUrl", "wss://"), ("ConnectionsEndpoint", "https://")):
        (_, parts) = outputs[name]["Value"]["Fn::Join"]
        assert (parts[0], parts[1]) == (scheme, {"Ref": api})
        assert parts[-1].endswith(f"/{managed_stage.stage}")


def test_addresses_on_the_local_stage_are_the_local_aws_s(local: Synthesis) -> None:
    environment = local.environment("gateway-deliver")
    (_, parts) = environment["GOCHAT_CONNECTIONS_ENDPOINT"]["Fn::Join"]
    assert parts[:3] == ["http://", {"Ref": "LocalAddress"}, "/_aws/execute-api/"]
