"""HTTP APIs on the local AWS hand requests to functions, and answers to clients, as API Gateway's."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from .conftest import LocalAws

SOURCE = """
import json, time
def handler(event, context):
    path = event["rawPath"]
    if path == "/raise":
        raise ValueError("no")
    if path == "/slow":
        time.sleep(2)
    if path == "/malformed":
        return {"statusCode": "teapot"}
    if path == "/plain":
        return {"statusCode": 201, "headers": {"X-Own": "1"}, "body": "text", "cookies": ["a=1; Path=/", "b=2"]}
    if path == "/binary":
        return {"statusCode": 200, "headers": {"content-type": "image/png"}, "body": "iVBORw==",
                "isBase64Encoded": True}
    if path == "/bare":
        return {"hello": "world"}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def client(aws: LocalAws) -> Any:
    client = aws.client("apigatewayv2")
    api_id = client.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
    arn = aws.create_function("http", SOURCE)
    integration = client.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0", TimeoutInMillis=1_500,
        IntegrationUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    )["IntegrationId"]  # fmt: skip
    client.create_route(ApiId=api_id, RouteKey="$default", Target=f"integrations/{integration}")
    client.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    with httpx.Client(base_url=f"{aws.endpoint_url}/_aws/execute-api/{api_id}", timeout=20, trust_env=False) as http:
        http.get("/warm")
        yield http


def test_a_request_arrives_in_payload_format_2(client: httpx.Client) -> None:
    """API Gateway: "Create AWS Lambda proxy integrations for HTTP APIs"."""
    event = client.post(
        "/users/search?q=a&q=b&x=%20y", json={"a": 1}, headers={"X-Custom": "v", "Cookie": "s=1; t=2"}
    ).json()
    assert event["version"] == "2.0"
    assert (event["routeKey"], event["rawPath"]) == ("$default", "/users/search")
    assert event["rawQueryString"] == "q=a&q=b&x=%20y"
    assert event["queryStringParameters"] == {"q": "a,b", "x": " y"}
    assert event["headers"]["x-custom"] == "v"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["s=1", "t=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a":1}', False)
    http = event["requestContext"]["http"]
    assert (http["method"], http["path"], http["sourceIp"]) == ("POST", "/users/search", "127.0.0.1")
    assert event["requestContext"]["stage"] == "$default"


def test_a_request_without_body_or_query_lacks_the_fields(client: httpx.Client) -> None:
    """API Gateway: "Create AWS Lambda proxy integrations for HTTP APIs": absent, not null."""
    event = client.get("/x").json()
    assert not {"body", "queryStringParameters", "cookies", "pathParameters"} & set(event)


def test_binary_bodies_survive_both_ways(client: httpx.Client) -> None:
    """API Gateway: "Create AWS Lambda proxy integrations for HTTP APIs", isBase64Encoded."""
    event = client.post("/x", content=b"\x00\xff\x80", headers={"Content-Type": "application/octet-stream"}).json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\x00\xff\x80"
    answer = client.get("/binary")
    assert answer.content == base64.b64decode("iVBORw==")
    assert answer.headers["content-type"] == "image/png"


def test_status_headers_cookies_and_body_come_back(client: httpx.Client) -> None:
    answer = client.get("/plain")
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (201, "text", "1")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2"]


def test_an_answer_without_a_status_is_the_json_body(client: httpx.Client) -> None:
    """API Gateway: "Lambda function response for format 2.0"."""
    answer = client.get("/bare")
    assert (answer.status_code, answer.json()) == (200, {"hello": "world"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/raise", "/malformed"])
def test_a_failing_function_is_an_internal_server_error(client: httpx.Client, path: str) -> None:
    """Lambda: "Handling Lambda errors with an API Gateway API"."""
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_an_integration_that_takes_too_long_is_unavailable(client: httpx.Client) -> None:
    """API Gateway: "Quotas for configuring and running an HTTP API", maximum integration timeout."""
    answer = client.get("/slow")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


def test_a_request_over_10_mb_is_refused(client: httpx.Client) -> None:
    """API Gateway: "Quotas for configuring and running an HTTP API", payload size 10 MB."""
    answer = client.post("/x", content=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})
