"""HTTP APIs on the local AWS answer browsers as API Gateway's."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .conftest import LocalAws

SOURCE = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"access-control-allow-origin": "https://from.the.function"}, "body": "{}"}
"""

PAGE = "https://chat.example.org"
AS_THE_API = {
    "AllowOrigins": [PAGE],
    "AllowMethods": ["GET", "PATCH"],
    "AllowHeaders": ["authorization", "idempotency-key"],
    "ExposeHeaders": ["x-request-id", "retry-after"],
    "MaxAge": 60,
}


def open_api(aws: LocalAws, arn: str, name: str, cors: dict[str, Any]) -> httpx.Client:
    client = aws.client("apigatewayv2")
    api_id = client.create_api(Name=name, ProtocolType="HTTP", **({"CorsConfiguration": cors} if cors else {}))["ApiId"]
    integration = client.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
        IntegrationUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    )["IntegrationId"]  # fmt: skip
    client.create_route(ApiId=api_id, RouteKey="$default", Target=f"integrations/{integration}")
    client.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    return httpx.Client(base_url=f"{aws.endpoint_url}/_aws/execute-api/{api_id}", timeout=20, trust_env=False)


@pytest.fixture(scope="module")
def function(aws: LocalAws) -> str:
    return aws.create_function("cors", SOURCE)


def ask(client: httpx.Client, origin: str) -> httpx.Response:
    return client.options("/x", headers={"origin": origin, "access-control-request-method": "PATCH"})


def cors_headers(answer: httpx.Response) -> dict[str, str]:
    return {
        name.removeprefix("access-control-"): value
        for name, value in answer.headers.items()
        if name.startswith("access-control-")
    }


def test_a_preflight_is_answered_by_the_configuration(aws: LocalAws, function: str) -> None:
    """API Gateway: "Configure CORS for HTTP APIs in API Gateway"."""
    with open_api(aws, function, "cors", AS_THE_API) as client:
        answer = ask(client, PAGE)
        assert answer.status_code == 204
        assert cors_headers(answer) == {
            "allow-origin": PAGE,
            "allow-methods": "GET,PATCH",
            "allow-headers": "authorization,idempotency-key",
            "max-age": "60",
        }
        assert cors_headers(ask(client, "https://other.example.org")) == {}


def test_a_response_carries_the_configuration_s_headers_and_not_the_function_s(aws: LocalAws, function: str) -> None:
    """API Gateway: "Configure CORS for HTTP APIs": it "ignores CORS headers returned from your backend integration"."""
    with open_api(aws, function, "cors-answers", AS_THE_API) as client:
        exposed = "x-request-id,retry-after"
        answer = client.get("/x", headers={"origin": PAGE})
        assert cors_headers(answer) == {"allow-origin": PAGE, "expose-headers": exposed}
        for headers in ({}, {"origin": "https://other.example.org"}):
            assert cors_headers(client.get("/x", headers=headers)) == {}


def test_any_origin_is_told_as_a_star(aws: LocalAws, function: str) -> None:
    """API Gateway: "Configure CORS for HTTP APIs in API Gateway"."""
    with open_api(aws, function, "cors-any", {**AS_THE_API, "AllowOrigins": ["*"]}) as client:
        assert cors_headers(ask(client, PAGE))["allow-origin"] == "*"
        assert cors_headers(client.get("/x", headers={"origin": "null"}))["allow-origin"] == "*"


def test_without_a_configuration_a_function_answers_for_itself(aws: LocalAws, function: str) -> None:
    """API Gateway: "Configure CORS for HTTP APIs in API Gateway": nothing is added where nothing is configured."""
    with open_api(aws, function, "cors-none", {}) as client:
        answer = client.get("/x", headers={"origin": PAGE})
        assert cors_headers(answer) == {"allow-origin": "https://from.the.function"}
