"""Deploy throwaway WebSocket APIs through the API, and connect to them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect

from .conftest import LocalAws

ECHO_EVENT = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""


@dataclass(kw_only=True)
class WebSocketApi:
    """A WebSocket API with the stage `test`."""

    aws: LocalAws
    api_id: str
    routes: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.aws.port}/_aws/execute-api/{self.api_id}/test"

    @property
    def management(self) -> Any:
        return self.aws.client(
            "apigatewaymanagementapi", endpoint_url=f"{self.aws.endpoint_url}/_aws/execute-api/{self.api_id}/test"
        )

    def connect(self, query: str = "", **options: Any) -> ClientConnection:
        socket: ClientConnection = connect(self.url + query, proxy=None, compression=None, **options)
        return socket

    def add_route(self, key: str, function_arn: str, *, answers: bool = True, **route: Any) -> None:
        client = self.aws.client("apigatewayv2")
        integration = client.create_integration(
            ApiId=self.api_id, IntegrationType="AWS_PROXY", IntegrationMethod="POST",
            IntegrationUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations",
        )["IntegrationId"]  # fmt: skip
        self.add_integration_route(key, integration, answers=answers, **route)

    def add_integration_route(self, key: str, integration: str, *, answers: bool, **route: Any) -> None:
        client = self.aws.client("apigatewayv2")
        if answers:
            route["RouteResponseSelectionExpression"] = "$default"
        created = client.create_route(ApiId=self.api_id, RouteKey=key, Target=f"integrations/{integration}", **route)
        self.routes[key] = created["RouteId"]
        if answers:
            client.create_route_response(ApiId=self.api_id, RouteId=created["RouteId"], RouteResponseKey="$default")

    def add_authorizer(self, function_arn: str, *, identity_sources: list[str] | None = None) -> str:
        """Create a REQUEST authorizer and give its id."""
        created = self.aws.client("apigatewayv2").create_authorizer(
            ApiId=self.api_id, AuthorizerType="REQUEST", Name="authorizer", IdentitySource=identity_sources or [],
            AuthorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations",
        )  # fmt: skip
        return str(created["AuthorizerId"])


def create_api(aws: LocalAws, name: str) -> WebSocketApi:
    """Create a WebSocket API without routes."""
    client = aws.client("apigatewayv2")
    api_id = client.create_api(Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")[
        "ApiId"
    ]
    client.create_stage(ApiId=api_id, StageName="test", AutoDeploy=True)
    return WebSocketApi(aws=aws, api_id=api_id)


def exchange(socket: ClientConnection, frame: str) -> Any:
    """Send a frame and give the next one, parsed."""
    socket.send(frame)
    return json.loads(socket.recv(timeout=20))
