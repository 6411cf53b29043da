"""The registry's prober asks a cell's function whether it serves."""

import json

import pytest

from gateway.prober.health_calls import HEALTH_EVENT
from gateway.websocket import handler
from gateway.websocket.wiring import wiring


def test_a_cell_s_function_answers_for_its_health_without_a_store(
    gateway_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**gateway_environ, "GOCHAT_MYSQL_PORT": "1", "GOCHAT_REDIS_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOCHAT_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    wiring.cache_clear()
    try:
        assert handler.handle(json.loads(HEALTH_EVENT), None) == {"statusCode": 200}
    finally:
        wiring.cache_clear()
