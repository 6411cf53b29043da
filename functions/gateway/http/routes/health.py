"""/health: answers as long as this function runs; touches nothing behind it."""

from gateway.http.answers import Answer
from gateway.http.request import Request
from gateway.http.routing import Route, Services


def get_health(request: Request, services: Services) -> Answer:  # noqa: ARG001 - every route has it
    """Say that we are there."""
    return Answer(value={"status": "ok", "stage": services.stage})


ROUTES = (Route(method="GET", path="/health", answer=get_health, is_open=True),)
