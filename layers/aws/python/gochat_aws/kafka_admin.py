"""Asks Kafka about topics and to make them, and tells apart what may pass, what is forbidden and what is wrong."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from gochat_aws.kafka_login import KafkaSettings, login_options
from gochat_core.errors import Unavailable

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

REQUEST_TIMEOUT_MS = 10_000

_TOPIC = 2  # Kafka's number for topics among what has a configuration (`ConfigResource.Type`)
_SET = 0  # and for setting an entry of one (`AlterConfigOp.OpType`)
_MISSING = 3  # UNKNOWN_TOPIC_OR_PARTITION
_EXISTS = 36  # TOPIC_ALREADY_EXISTS

_NEEDED = {
    "describe": ("DESCRIBE", "DescribeTopic"),
    "create": ("CREATE", "CreateTopic"),
    "grow": ("ALTER", "AlterTopic"),
    "read the settings of": ("DESCRIBE_CONFIGS", "DescribeTopicDynamicConfiguration"),
    "set up": ("ALTER_CONFIGS", "AlterTopicDynamicConfiguration"),
}
"""What is done, the ACL that it takes and the action of `kafka-cluster` that stands for it (MSK developer guide,
"Semantics of IAM authorization policy actions and resources")."""


class FoundTopic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic as it is."""

    partitions: int
    replicas: int
    leaderless: int


class TopicsRefused(Exception):
    """Trying again would not help: a right, a topic or room for it is missing, as the text says."""


class KafkaAdmin:
    """The requests, each answered by what is the matter with each topic rather than by the first error's exception.

    kafka-python's own calls raise that one alone, make a RuntimeError of "not controller" and swallow errors of
    configurations, so its requests are sent as they are.
    """

    def __init__(self, admin: "KafkaAdminClient", *, by_iam: bool) -> None:
        self._admin = admin
        self._by_iam = by_iam

    def describe(self, names: Sequence[str]) -> dict[str, FoundTopic]:
        """Return those of the topics that are there; none comes to be by being asked for."""
        found = {}
        for topic in self._admin.describe_topics(list(names)):
            if topic["error_code"] == _MISSING:
                continue
            self._expect_ok("describe", topic["name"], topic["error_code"])
            partitions = topic["partitions"]
            found[topic["name"]] = FoundTopic(
                partitions=len(partitions),
                replicas=min((len(one["replica_nodes"]) for one in partitions), default=0),
                leaderless=sum(one["error_code"] != 0 or one["leader_id"] < 0 for one in partitions),
            )
        return found

    def create(self, name: str, *, partitions: int, replication_factor: int, configs: Mapping[str, str]) -> bool:
        """Create a topic; False if somebody else did so meanwhile. A replication factor of -1 is the cluster's own."""
        from kafka.protocol.admin import CreateTopicsRequest

        kind = CreateTopicsRequest.CreatableTopic
        wanted = kind(
            name=name,
            num_partitions=partitions,
            replication_factor=replication_factor,
            assignments=[],
            configs=[kind.CreatableTopicConfig(name=entry, value=value) for entry, value in configs.items()],
        )
        request = CreateTopicsRequest(topics=[wanted], timeout_ms=REQUEST_TIMEOUT_MS, validate_only=False)
        (answer,) = self._ask(request, of_controller=True).topics
        if answer.error_code == _EXISTS:
            return False
        self._expect_ok("create", name, answer.error_code, answer.error_message)
        return True

    def grow(self, name: str, partitions: int) -> None:
        """Give a topic so many partitions."""
        from kafka.protocol.admin import CreatePartitionsRequest

        wanted = CreatePartitionsRequest.CreatePartitionsTopic(name=name, count=partitions)
        request = CreatePartitionsRequest(topics=[wanted], timeout_ms=REQUEST_TIMEOUT_MS, validate_only=False)
        (answer,) = self._ask(request, of_controller=True).results
        self._expect_ok("grow", name, answer.error_code, answer.error_message)

    def configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return what is set for the topics, defaults among it."""
        from kafka.protocol.admin import DescribeConfigsRequest

        # Every entry (None), because the local stage's broker can't pick.
        request = DescribeConfigsRequest(resources=[(_TOPIC, name, None) for name in names], include_synonyms=False)
        found = {}
        for answer in self._ask(request).results:
            name = answer.resource_name
            self._expect_ok("read the settings of", name, answer.error_code, answer.error_message)
            found[name] = {entry.name: entry.value for entry in answer.configs}
        return found

    def set_up(self, name: str, configs: Mapping[str, str]) -> None:
        """Set these entries and leave the others alone."""
        from kafka.protocol.admin import IncrementalAlterConfigsRequest

        entries = [(entry, _SET, value) for entry, value in configs.items()]
        request = IncrementalAlterConfigsRequest(resources=[(_TOPIC, name, entries)], validate_only=False)
        (answer,) = self._ask(request).responses
        self._expect_ok("set up", name, answer.error_code, answer.error_message)

    def _ask(self, request: Any, *, of_controller: bool = False) -> Any:
        manager = self._admin._manager
        if of_controller:
            return manager.run(self._admin._send_request_to_controller, request)
        return manager.run(manager.send, request)

    def _expect_ok(self, doing: str, name: str, code: int, message: str | None = None) -> None:
        if not code:
            return
        from kafka.errors import AuthorizationError, for_code

        kind = for_code(code)
        told = f"{kind.__name__}{f' ({message})' if message else ''}"
        if issubclass(kind, AuthorizationError):
            acl, action = _NEEDED[doing]
            if self._by_iam:
                raise Unavailable(f"to {doing} {name}, the role needs kafka-cluster:{action} on it: {told}")
            raise TopicsRefused(f"to {doing} {name}, the user of the Kafka secret needs the ACL {acl} on it: {told}")
        if getattr(kind, "retriable", False):
            raise Unavailable(f"Kafka could not {doing} {name} for the moment: {told}")
        raise TopicsRefused(f"Kafka refused to {doing} {name}: {told}")


@contextmanager
def admin_of(settings: KafkaSettings, *, bootstrap_timeout_ms: int) -> Iterator[KafkaAdmin]:
    """Log in for a block, and tell kafka-python's errors by it: Unavailable for what may pass, else TopicsRefused."""
    from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError

    by_iam = settings.kafka_auth == "iam"
    with _faults_of_bootstrap() as faults:
        try:
            client = _connect(settings, bootstrap_timeout_ms)
            try:
                yield KafkaAdmin(client, by_iam=by_iam)
            finally:
                client.close()
        except KafkaError as error:
            refused = (SaslAuthenticationFailedError, AuthorizationError)
            fault = next((one for one in faults if isinstance(one, refused)), faults[0] if faults else error)
            if isinstance(fault, refused):
                # A role's rights reach MSK some seconds after CloudFormation says that they are there.
                raise (Unavailable if by_iam else TopicsRefused)(f"Kafka refused the login: {fault}") from error
            if getattr(error, "retriable", False):
                # kafka-python loses the broker's last words when the connection ends with them.
                hint = "" if settings.kafka_auth == "none" else " (which may be how it refuses a login)"
                raise Unavailable(f"Kafka does not answer: {fault}{hint}") from error
            raise TopicsRefused(f"Kafka refused: {error!r}") from error


def _connect(settings: KafkaSettings, bootstrap_timeout_ms: int) -> "KafkaAdminClient":
    from kafka.admin import KafkaAdminClient
    from kafka.net.compat import KafkaNetClient

    options = login_options(settings)
    clients: list[KafkaNetClient] = []

    def make_client(**client_options: Any) -> KafkaNetClient:
        clients.append(KafkaNetClient(**client_options))
        return clients[-1]

    try:
        return KafkaAdminClient(
            kafka_client=make_client,
            bootstrap_servers=settings.kafka_bootstrap.split(","),
            client_id="gochat-topics",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            bootstrap_timeout_ms=bootstrap_timeout_ms,
            reconnect_backoff_max_ms=1_000,
            **options,
        )
    except BaseException:
        # An admin client that never came to be leaves its sockets open and its thread running.
        for client in clients:
            client.close()
            client._manager._net.stop()
        raise


@contextmanager
def _faults_of_bootstrap() -> Iterator[list[BaseException]]:
    """Gather what kept kafka-python from getting in, which it logs: its own error says no more than that it did not."""
    faults: list[BaseException] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: faults.extend(  # type: ignore[method-assign]
        one for one in record.args or () if isinstance(one, BaseException)
    )
    logger = logging.getLogger("kafka.net.manager")
    logger.addHandler(handler)
    try:
        yield faults
    finally:
        logger.removeHandler(handler)
