"""Makes topics as a stage wants them: creates, grows and sets them up; never deletes one, never shrinks one."""

import time
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from gochat_aws.kafka_admin import FoundTopic, KafkaAdmin, TopicsRefused, admin_of
from gochat_aws.kafka_login import KafkaSettings, kafka_settings
from gochat_core.errors import Unavailable

BOOTSTRAP_TIMEOUT_MS = 15_000
LEADERS_WITHIN_S = 30.0
"""How long new partitions may be without a leader; KRaft brokers learn of them within a second."""

_POLL_S = 0.1
_FEW_IN_SYNC = "min.insync.replicas"


class WantedTopic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic as it should be; a replication factor of -1 leaves that to the cluster."""

    name: str
    partitions: int
    replication_factor: int
    configs: dict[str, str]


class TopicMaker:
    """Speaks to one cluster for as long as a call takes. Safe to repeat, and to run twice at the same time."""

    def __init__(self, settings: KafkaSettings, *, bootstrap_timeout_ms: int = BOOTSTRAP_TIMEOUT_MS) -> None:
        self._settings = settings
        self._bootstrap_timeout_ms = bootstrap_timeout_ms

    def ensure(self, topics: Sequence[WantedTopic]) -> list[str]:
        """Make the topics, wait until each partition has a leader, and return a line for each change and each odd find.

        Raises Unavailable for what may pass (no broker answers, an election, a throttle, rights that are too new to be
        known): whatever was done until then stays, and the next call goes on from there. Raises TopicsRefused.
        """
        with admin_of(self._settings, bootstrap_timeout_ms=self._bootstrap_timeout_ms) as admin:
            return _ensure(admin, topics)

    def check(self, topics: Sequence[WantedTopic]) -> list[str]:
        """Change nothing: raise TopicsRefused where topics are missing, and return a line for each that is too small.

        Asks for the right to describe them alone. Raises Unavailable as `ensure` does.
        """
        with admin_of(self._settings, bootstrap_timeout_ms=self._bootstrap_timeout_ms) as admin:
            return _check(admin, topics)


def topic_maker_from(environ: Mapping[str, str]) -> TopicMaker:
    """Build what makes topics from a function's environment; nothing is connected yet."""
    return TopicMaker(kafka_settings(environ))


def _ensure(admin: KafkaAdmin, topics: Sequence[WantedTopic]) -> list[str]:
    names = [topic.name for topic in topics]
    found = admin.describe(names)
    # One at a time: what a throttle lets through stays.
    told = [
        f"{topic.name}: made with {topic.partitions} partitions"
        for topic in topics
        if topic.name not in found and _create(admin, topic)
    ]
    there = [topic for topic in topics if topic.name in found]
    for topic in there:
        told += _grow(admin, topic, found[topic.name])
    if there:
        configs = admin.configs([topic.name for topic in there])
        for topic in there:
            told += _set_up(admin, topic, found[topic.name], configs[topic.name])
    _wait_for_leaders(admin, names)
    return told


def _create(admin: KafkaAdmin, topic: WantedTopic) -> bool:
    return admin.create(
        topic.name,
        partitions=topic.partitions,
        replication_factor=topic.replication_factor,
        configs=topic.configs,
    )


def _grow(admin: KafkaAdmin, topic: WantedTopic, found: FoundTopic) -> Iterator[str]:
    if found.partitions > topic.partitions:
        yield f"{topic.name}: keeps its {found.partitions} partitions, as Kafka takes none away"
    elif found.partitions < topic.partitions:
        admin.grow(topic.name, topic.partitions)
        yield f"{topic.name}: grew from {found.partitions} to {topic.partitions} partitions"
    if 0 < found.replicas < topic.replication_factor:
        yield f"{topic.name}: keeps its replication factor of {found.replicas}"


def _set_up(admin: KafkaAdmin, topic: WantedTopic, found: FoundTopic, configs: dict[str, str]) -> Iterator[str]:
    other = {name: value for name, value in topic.configs.items() if configs.get(name) != value}
    if not other:
        return
    in_sync = int(other.get(_FEW_IN_SYNC, 0))
    if in_sync > found.replicas:
        raise TopicsRefused(
            f"{topic.name} has {found.replicas} replicas, and {in_sync} in sync would be asked for, which stops all "
            "writes: raise its replication factor, or lower min_insync_replicas"
        )
    admin.set_up(topic.name, other)
    yield f"{topic.name}: {', '.join(f'{name} is {value} now' for name, value in sorted(other.items()))}"


def _check(admin: KafkaAdmin, topics: Sequence[WantedTopic]) -> list[str]:
    found = admin.describe([topic.name for topic in topics])
    missing = [topic for topic in topics if topic.name not in found]
    if missing:
        raise TopicsRefused(f"these topics are to be made first: {', '.join(map(_recipe, missing))}")
    return [
        f"{topic.name}: has {found[topic.name].partitions} partitions, fewer than {topic.partitions}"
        for topic in topics
        if found[topic.name].partitions < topic.partitions
    ]


def _recipe(topic: WantedTopic) -> str:
    configs = "".join(f", {name}={value}" for name, value in sorted(topic.configs.items()))
    return f"{topic.name} ({topic.partitions} partitions{configs})"


def _wait_for_leaders(admin: KafkaAdmin, names: Sequence[str]) -> None:
    deadline = time.monotonic() + LEADERS_WITHIN_S
    while True:
        found = admin.describe(names)
        waiting = [name for name in names if name not in found or found[name].leaderless or not found[name].partitions]
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise Unavailable(f"partitions have no leader yet: {', '.join(waiting)}")
        time.sleep(_POLL_S)
