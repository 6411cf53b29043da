"""/gateways: where WebSockets are opened."""

from gateway.http import encode
from gateway.http.answers import Answer
from gateway.http.request import Request
from gateway.http.routing import Route, Services


def list_gateways(request: Request, services: Services) -> Answer:  # noqa: ARG001 - every route has it
    """List the WebSocket entry points, best first."""
    return Answer(value={"gateways": [encode.gateway(one) for one in services.gateways.list()]})


ROUTES = (Route(method="GET", path="/gateways", answer=list_gateways, is_open=True),)
