"""On Apache Kafka, whose records outlive it: the broker dies while people talk, and nothing acknowledged is lost."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fixtures.stage import Stage, running_stage
from tests.flows.load import more_accepted, talking
from tests.flows.stock_client import Person, eventually

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def apache_stage(tmp_path: Path) -> Iterator[Stage]:
    with running_stage(tmp_path / "stage", "--kafka", "apache") as running:
        yield running


def test_a_broker_that_is_killed_and_comes_back_loses_and_doubles_nothing(apache_stage: Stage) -> None:
    with ExitStack() as people:

        def somebody(name: str) -> Person:
            person = Person(apache_stage.http_url, apache_stage.websocket_url, name)
            people.callback(person.close)
            return person.register()

        with talking(somebody, pairs=3) as talks:
            for _ in range(2):
                apache_stage.control("kafka", "kill")
                apache_stage.control("kafka", "restart")
                eventually(more_accepted(talks, 5), "they go on with the broker back", within_s=120)
        for talk in talks:
            conversation_id = talk.check_nothing_lost_or_doubled()
            expected = {
                message["seq"]
                for message in talk.receiver.history(conversation_id)
                if message["sender_id"] == talk.sender.user_id
            }
            eventually(
                lambda talk=talk, wanted=expected, conversation_id=conversation_id: (  # type: ignore[misc]
                    talk.heard(conversation_id) >= wanted
                ),
                "every message reached the open connection",
                within_s=120,
            )
            talk.close()
