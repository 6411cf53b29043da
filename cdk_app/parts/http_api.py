"""The HTTP API around its one route: which pages may call it, how much, and what is logged."""

import json

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway

from cdk_app.parts.function import declare_log_group, vended_logs
from cdk_app.parts.watched_apis import watch_http_api
from cdk_app.settings import Stage

_ACCESS_LOG = {
    "request_id": "$context.requestId",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "ip": "$context.identity.sourceIp",
    "error": "$context.error.message",
    "integration_error": "$context.integrationErrorMessage",
    "latency_ms": "$context.responseLatency",
}


def cors_of(stage: Stage) -> apigateway.CorsPreflightOptions | None:
    """Let pages of the stage's origins call, and read what tells them how to go on."""
    if not stage.origins:
        return None
    method = apigateway.CorsHttpMethod
    return apigateway.CorsPreflightOptions(
        allow_origins=list(stage.origins),
        allow_methods=[method.GET, method.POST, method.PUT, method.PATCH, method.DELETE],
        allow_headers=["authorization", "content-type", "idempotency-key"],
        expose_headers=["x-request-id", "retry-after"],
        max_age=Duration.hours(1),
    )


def add_http_stage(api: apigateway.HttpApi, *, stage: Stage) -> apigateway.CfnStage:
    """Add the stage `$default`, which has no path; it needs the account's log role to be there before."""
    stack = Stack.of(api)
    log_group = declare_log_group(
        stack, "HttpAccessLogs", stage=stage, name=vended_logs("apigateway", f"{stage.prefix}-http")
    )
    watch_http_api(stack, stage, api.api_id)
    return apigateway.CfnStage(
        stack,
        "HttpStage",
        api_id=api.api_id,
        stage_name="$default",
        auto_deploy=True,
        access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=log_group.log_group_arn, format=json.dumps(_ACCESS_LOG, separators=(",", ":"))
        ),
        default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
            throttling_rate_limit=stage.http_throttle.rate,
            throttling_burst_limit=stage.http_throttle.burst,
            detailed_metrics_enabled=True,
        ),
    )
