"""The canary on the deployed stage: two users of its own over every door, again and again, whatever was left."""

import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from tests.fixtures.stage import Stage

FUNCTION = "gochat-local-task-canary"

STEPS = {
    "the REST door answers",
    "they log in",
    "they connect",
    "a heartbeat is answered",
    "ada writes to ben (1)",
    "ben writes to ada (1)",
    "ben reads, ada sees it",
    "both have the same history",
    "a device that was away catches up",
    "a message sent over REST arrives too",
    "they tidy up",
}


def sing(stage: Stage) -> dict[str, Any]:
    """Run it once, as its schedule does."""
    answer = stage.aws("lambda").invoke(FunctionName=FUNCTION, Payload=b"{}")
    assert "FunctionError" not in answer
    report: dict[str, Any] = json.loads(answer["Payload"].read())
    return report


def login_of_ada(stage: Stage) -> dict[str, str]:
    """Derive the credentials of one of its users from the secret, as whoever may read it can."""
    seed = stage.aws("secretsmanager").get_secret_value(SecretId="gochat-local/canary")["SecretString"]

    def derive(purpose: str) -> str:
        return hmac.new(seed.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    return {"username": f"canary-ada-{derive('name of ada')[:12]}", "password": derive("password of ada")}


@pytest.mark.timeout(240)
def test_two_users_who_stay_talk_over_every_door_and_tidy_up(stage: Stage) -> None:
    first = sing(stage)
    assert first["ok"], first
    assert set(first["steps"]) >= STEPS
    again = sing(stage)
    assert again["ok"], again
    assert "they become friends" not in again["steps"], "the container's logins are used again"

    # Somebody logs in with its device in between: the container's login ends, the run after the failing one heals it.
    login = login_of_ada(stage)
    body = {**login, "device_id": "canary", "platform": "desktop"}
    tokens = httpx.post(f"{stage.http_url}/api/v1/auth/login", json=body, timeout=35).raise_for_status().json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    shown = httpx.get(f"{stage.http_url}/api/v1/conversations", headers=headers, timeout=35).raise_for_status().json()
    assert shown["conversations"] == [], "its conversation is hidden when it is done"
    assert not sing(stage)["ok"]
    assert sing(stage)["ok"]

    said = "\n".join(stage.log_lines(FUNCTION.removeprefix("gochat-local-")))
    assert "canary done" in said
    assert "CanarySucceeded" in said
    for secret in (login["password"], tokens["access_token"], tokens["refresh_token"]):
        assert secret not in said
