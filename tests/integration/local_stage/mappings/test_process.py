import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from local_stage.services import KafkaBroker
from tests.fixtures.lambda_endpoint import Event, FunctionError, LambdaEndpoint, serving
from tests.fixtures.mappings import committed, produce

ROOT = Path(__file__).parents[4]


@pytest.fixture
def topic(kafka_broker: KafkaBroker, topic_name: str) -> str:
    kafka_broker.create_topics(**{topic_name: 1})
    return topic_name


@contextmanager
def poller(endpoint: LambdaEndpoint, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "local_stage.mappings", "--endpoint-url", endpoint.url, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_status(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {"mappings": []}


def test_sigterm_lets_a_running_batch_finish_and_commits_it(kafka_broker: KafkaBroker, topic: str) -> None:
    entered, opened = threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        entered.set()
        opened.wait(30)

    with serving(hold) as endpoint, poller(endpoint, "--grace-s", "20") as process:
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic, ["a"])
        assert entered.wait(20)
        process.send_signal(signal.SIGTERM)
        opened.set()
        assert process.wait(20) == 0
    assert committed(kafka_broker.address, f"group-{topic}", topic) == {0: 1}


def test_sigterm_abandons_a_batch_that_outlasts_the_grace_uncommitted(kafka_broker: KafkaBroker, topic: str) -> None:
    entered, opened = threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        if not opened.is_set():
            entered.set()
            opened.wait(30)

    with serving(hold) as endpoint:
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic, ["a"])
        with poller(endpoint, "--grace-s", "0.2") as process:
            assert entered.wait(20)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        assert committed(kafka_broker.address, f"group-{topic}", topic) == {}
        opened.set()
        with poller(endpoint):
            endpoint.wait_for(lambda: committed(kafka_broker.address, f"group-{topic}", topic) == {0: 1})
    assert [call.offsets for call in endpoint.invocations] == [[0], [0]]


def test_a_killed_poller_loses_nothing_and_repeats_at_most_what_was_under_way(
    kafka_broker: KafkaBroker, topic: str
) -> None:
    with serving() as endpoint:
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address, BatchSize=10)
        produce(kafka_broker.address, topic, map(str, range(200)))
        for seen in (30, 90):
            with poller(endpoint) as process:
                endpoint.wait_for(lambda enough=seen: len(endpoint.delivered()) >= enough)  # type: ignore[misc]
                process.kill()
        with poller(endpoint):
            endpoint.wait_for(lambda: committed(kafka_broker.address, f"group-{topic}", topic) == {0: 200})
    assert sorted(set(endpoint.delivered())) == list(range(200))
    # Commits trail by milliseconds: what comes again are the last batches before each of the two kills.
    assert len(endpoint.delivered()) <= 300


def test_the_status_file_tells_what_each_mapping_did(kafka_broker: KafkaBroker, topic: str, tmp_path: Path) -> None:
    status_file = tmp_path / "status.json"

    def fail_once(event: Event) -> None:
        if len(endpoint.invocations) == 1:
            raise FunctionError("first")

    def caught_up() -> bool:
        mappings = read_status(status_file)["mappings"]
        return bool(mappings) and mappings[0]["delivered"] == 3 and mappings[0]["lag"] == 0

    with serving(fail_once) as endpoint, poller(endpoint, "--status-file", str(status_file)) as process:
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address)
        produce(kafka_broker.address, topic, ["a", "b", "c"])
        endpoint.wait_for(caught_up)
        status = read_status(status_file)
        assert status["pid"] == process.pid
    (mapping,) = status["mappings"]
    assert (mapping["topic"], mapping["group"], mapping["state"]) == (topic, f"group-{topic}", "Running")
    assert (mapping["failures"], mapping["partitions"]) == (1, 1)
    assert "first" in mapping["last_error"]


def test_the_status_file_shows_the_lag_of_a_stuck_mapping(
    kafka_broker: KafkaBroker, topic: str, tmp_path: Path
) -> None:
    status_file = tmp_path / "status.json"

    def fail(event: Event) -> None:
        raise FunctionError("stuck")

    def lags() -> bool:
        return any(mapping["lag"] == 7 for mapping in read_status(status_file)["mappings"])

    produce(kafka_broker.address, topic, map(str, range(7)))
    with serving(fail) as endpoint, poller(endpoint, "--status-file", str(status_file)):
        endpoint.add_mapping(topic, topic=topic, bootstrap=kafka_broker.address, BatchSize=1)
        endpoint.wait_for(lags)


def test_an_idle_poller_uses_little_of_the_processor(kafka_broker: KafkaBroker, topic: str, tmp_path: Path) -> None:
    status_file = tmp_path / "status.json"
    with serving() as endpoint, poller(endpoint, "--status-file", str(status_file)) as process:
        for number in range(3):
            endpoint.add_mapping(f"mapping-{number}", topic=topic, bootstrap=kafka_broker.address)
        endpoint.wait_for(
            lambda: [mapping["state"] for mapping in read_status(status_file)["mappings"]] == ["Running"] * 3
        )
        watched = psutil.Process(process.pid)
        before = watched.cpu_times()
        assert process.poll() is None
        threading.Event().wait(3)  # the measured span itself
        after = watched.cpu_times()
    used_s = (after.user + after.system) - (before.user + before.system)
    assert used_s < 3 * 0.25, "a poll or a wait spins"
