"""People in groups, over REST, and what their devices are told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gochat_aws.kafka_event import IncomingRecord
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import TASK_TOPIC, FanOutPage, FanOutTask, TaskRecord, decode
from gochat_core.clock import SystemClock
from task.worker.wiring import make_batches
from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import Rest, Rpc, build_rest, build_rpc
from tests.integration.rest.contact_people import Person, log_in


@dataclass(kw_only=True)
class Gang:
    """A group and who knows of it: Alice owns it, Bob and Carol belong to it, Dave does not."""

    alice: Person
    bob: Person
    carol: Person
    dave: Person
    group_id: str
    conversation_id: str

    @property
    def url(self) -> str:
        """Return the group's path."""
        return f"/groups/{self.group_id}"

    def everybody(self) -> Iterator[Person]:
        """Yield all four."""
        yield from (self.alice, self.bob, self.carol, self.dave)

    def shown(self, who: Person | None = None) -> Any:
        """Return the group as somebody (Alice) sees it."""
        answer = (who or self.alice).send("GET", self.url)
        assert answer.status == 200, answer.text
        return answer.json["group"]

    def roles(self, who: Person | None = None) -> dict[str, str]:
        """Return what each member is, by user id."""
        members = (who or self.alice).send("GET", f"{self.url}/members").json["members"]
        return {one["user"]["user_id"]: one["role"] for one in members}

    def edit(self, who: Person, **changes: object) -> HttpAnswer:
        """Change the group."""
        return who.send("PATCH", self.url, changes)

    def invite(self, who: Person, *others: Person) -> HttpAnswer:
        """Bring people in."""
        return who.send("POST", f"{self.url}/members", {"user_ids": [one.user_id for one in others]})

    def remove(self, who: Person, other: Person) -> HttpAnswer:
        """Take somebody out, or leave."""
        return who.send("DELETE", f"{self.url}/members/{other.user_id}")

    def set_member(self, who: Person, other: Person, **changes: object) -> HttpAnswer:
        """Change what a member is."""
        return who.send("PATCH", f"{self.url}/members/{other.user_id}", changes)

    def transfer(self, who: Person, other: Person) -> HttpAnswer:
        """Make somebody the owner."""
        return who.send("POST", f"{self.url}/transfer", {"user_id": other.user_id})

    def dissolve(self, who: Person) -> HttpAnswer:
        """End the group."""
        return who.send("DELETE", self.url)

    def say(self, who: Person, client_msg_id: str, text: str = "hello") -> HttpAnswer:
        """Send a text to the group."""
        body = {"client_msg_id": client_msg_id, "type": "text", "content": {"text": text}}
        return who.send("POST", f"/conversations/{self.conversation_id}/messages", body)

    def history(self, who: Person) -> list[Any]:
        """Return what somebody can read."""
        answer = who.send("GET", f"/conversations/{self.conversation_id}/messages?limit=100")
        assert answer.status == 200, answer.text
        return list(answer.json["messages"])

    def seen(self, who: Person) -> Any:
        """Return the conversation as somebody sees it."""
        answer = who.send("GET", f"/conversations/{self.conversation_id}")
        assert answer.status == 200, answer.text
        return answer.json["conversation"]


def create(owner: Person, *others: Person, key: str | None = None, **more: object) -> HttpAnswer:
    """Make a group."""
    body = {"name": "Friday", "member_ids": [one.user_id for one in others], **more}
    return owner.send("POST", "/groups/create", body, key=key)


def make_gang(rest: Rest) -> Gang:
    """Log four in and let Alice make a group of three."""
    alice, bob, carol, dave = log_in(rest, "alice", "bob", "carol", "dave")
    answer = create(alice, bob, carol)
    assert answer.status == 201, answer.text
    group = answer.json["group"]
    return Gang(
        alice=alice,
        bob=bob,
        carol=carol,
        dave=dave,
        group_id=group["group_id"],
        conversation_id=group["conversation_id"],
    )


SIZES = ("small", "large")


def sized(rest: Rest, size: str) -> Rest:
    """Return a door where groups are small or, from their second member on, large."""
    if size == "small":
        return rest
    environ = rest.rpc.environ | {"GOCHAT_LARGE_GROUP_MEMBERS": "2"}
    return build_rest(build_rpc(environ, rest.secret), rest.secret)


def told(who: Person) -> list[tuple[str, Any]]:
    """Return what somebody's devices were told so far, by whoever changed something or by the worker."""
    work_off(who.rest.rpc)
    return list(who.told())


def work_off(rpc: Rpc) -> None:
    """Have the worker do what was left to it: tell the members of large groups, two of them at a time."""
    producer = rpc.producer
    worker = make_batches(rpc.database, rpc.cache, producer, SystemClock(), page_members=2)
    while tasks := [one for one in producer.records if _is_fan_out(one)]:
        producer.records[:] = [one for one in producer.records if not _is_fan_out(one)]
        assert worker.apply([_incoming(one) for one in tasks]).failed == set()


def _is_fan_out(record: OutgoingRecord) -> bool:
    return record.topic == TASK_TOPIC and isinstance(decode(TaskRecord, record.value).task, FanOutTask | FanOutPage)


def _incoming(record: OutgoingRecord) -> IncomingRecord:
    return IncomingRecord(
        topic=record.topic, partition=0, offset=0, timestamp_ms=0, key=record.key, value=record.value, headers={}
    )


def forget(who: Person) -> None:
    """Forget what everybody was told so far."""
    who.rest.rpc.producer.records.clear()
