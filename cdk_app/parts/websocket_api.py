"""A cell's WebSocket API: who may connect, what answers which frame, how much of it and what is logged."""

import json

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.watched_apis import watch_websocket_api
from cdk_app.settings import Stage

PONG = '{"event":"pong"}'

# Never the query string: a ticket may stand in it. At most 3 KB.
_ACCESS_LOG = {
    "request_id": "$context.requestId",
    "connection_id": "$context.connectionId",
    "event": "$context.eventType",
    "route": "$context.routeKey",
    "status": "$context.status",
    "ip": "$context.identity.sourceIp",
    "error": "$context.error.message",
    "authorizer_error": "$context.authorizer.error",
    "integration_error": "$context.integrationErrorMessage",
    "integration_latency_ms": "$context.integrationLatency",
    "connected_at_ms": "$context.connectedAt",
}


def add_routes(api: apigateway.WebSocketApi, *, authorize: lambda_.IFunction, websocket: lambda_.IFunction) -> None:
    """Add $connect, $disconnect, $default, typing and ping.

    The authorizer has no identity sources: with any (CDK's default is the Authorization header) API Gateway itself
    refuses whoever lacks it, and browsers can't set headers. Only routes with a route response answer on the socket.
    """
    acknowledge(api, "AwsSolutions-APIG4", "A WebSocket API authorizes the connection, at $connect, and no frame.")
    handler = integrations.WebSocketLambdaIntegration("Websocket", websocket)
    api.add_route(
        "$connect",
        integration=handler,
        authorizer=authorizers.WebSocketLambdaAuthorizer("Authorizer", authorize, identity_source=[]),
    )
    api.add_route("$disconnect", integration=handler)
    api.add_route("$default", integration=handler, return_response=True)
    # An accepted `typing` has no reply; a route with a route response would send an empty frame instead of none.
    api.add_route("typing", integration=handler)
    _add_ping(api)


def _add_ping(api: apigateway.WebSocketApi) -> None:
    """Answer heartbeats without a function: they would cost more than all messages of an idle client."""
    stack = Stack.of(api)
    name = api.node.id
    integration = apigateway.CfnIntegration(
        stack,
        f"{name}PingIntegration",
        api_id=api.api_id,
        integration_type="MOCK",
        passthrough_behavior="WHEN_NO_MATCH",
        request_templates={"200": '{"statusCode":200}'},
        template_selection_expression="200",
    )
    # $default catches whatever status there is; of a MOCK there is one.
    apigateway.CfnIntegrationResponse(
        stack,
        f"{name}PingIntegrationResponse",
        api_id=api.api_id,
        integration_id=integration.ref,
        integration_response_key="$default",
        response_templates={"200": PONG},
        template_selection_expression="200",
    )
    # Not beneath the API in the tree of constructs, so it says so for itself.
    route = apigateway.CfnRoute(
        stack,
        f"{name}PingRoute",
        api_id=api.api_id,
        route_key="ping",
        authorization_type="NONE",
        route_response_selection_expression="$default",
        target=f"integrations/{integration.ref}",
    )
    acknowledge(route, "AwsSolutions-APIG4", "A WebSocket API authorizes the connection, at $connect, and no frame.")
    apigateway.CfnRouteResponse(
        stack, f"{name}PingRouteResponse", api_id=api.api_id, route_id=route.ref, route_response_key="$default"
    )


def add_stage(api: apigateway.WebSocketApi, *, stage: Stage, log_group: logs.LogGroup) -> apigateway.CfnStage:
    """Add the stage, named as the deployment stage is; changes of the API deploy themselves."""
    watch_websocket_api(Stack.of(api), stage, api.node.id, api.api_id)
    declared = apigateway.WebSocketStage(
        Stack.of(api), f"{api.node.id}Stage", web_socket_api=api, stage_name=stage.name, auto_deploy=True
    )
    cfn = declared.node.default_child
    assert isinstance(cfn, apigateway.CfnStage)
    cfn.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
        destination_arn=log_group.log_group_arn, format=json.dumps(_ACCESS_LOG, separators=(",", ":"))
    )
    cfn.default_route_settings = apigateway.CfnStage.RouteSettingsProperty(
        throttling_rate_limit=stage.websocket_throttle.rate,
        throttling_burst_limit=stage.websocket_throttle.burst,
        detailed_metrics_enabled=True,
        # Execution logs would hold the frames themselves.
        data_trace_enabled=False,
        logging_level="ERROR",
    )
    return cfn
