"""The worker, RepoService and `push` over one stage's stores, and a provider that does as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from gochat_aws.invoke_channel import InvokeChannel
from gochat_aws.kafka_event import IncomingRecord
from gochat_contracts.push_settings import Provider, token_identity
from gochat_contracts.records import PUSH_TOPIC, PushRecord, decode
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.clock import SystemClock
from gochat_core.types import DeviceId, SessionId, UserId
from gochat_repo.push_tokens import PushToken, save_push_token
from gochat_repo.sessions import NewSession, insert_session
from repo.rpc import wiring
from task.push.batch import PushBatches, PushVerdicts
from task.push.providers.provider import Answer, Push, PushProvider, Sent
from task.push.sender import Sender
from task.worker.batch import TaskBatches
from task.worker.wiring import make_batches
from tests.integration.messages.frames import BOB, PHONE
from tests.integration.messages.stage import Stage

FOREVER_MS = 1 << 52
_SESSIONS = count(1_000)


@dataclass
class Phones:
    """A provider that keeps what it was given, and answers as it is told to."""

    sent: list[Push] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def service(self, push: Push) -> str:
        return ""

    def send(self, push: Push, *, timeout_s: float) -> Answer:
        assert timeout_s > 0
        self.before()
        self.sent.append(push)
        return self.answers.pop(0) if self.answers else Sent()


@dataclass
class PushStage:
    """The worker and `push` over one stage's stores."""

    stage: Stage
    phones: Phones
    tasks: TaskBatches
    batches: PushBatches

    def log_in(
        self, user_id: UserId, device_id: DeviceId = PHONE, *, token: str = "", provider: Provider = "fcm"
    ) -> None:
        """Give somebody a device that is logged in and can be told."""

        def work(tx: object) -> None:
            insert_session(
                tx,  # type: ignore[arg-type]
                NewSession(
                    session_id=SessionId(next(_SESSIONS)),
                    user_id=user_id,
                    device_id=device_id,
                    platform="ios",
                    salt=b"x" * 16,
                    opened_at_ms=1,
                    expires_at_ms=FOREVER_MS,
                ),
            )
            one = PushToken(
                user_id=user_id,
                device_id=device_id,
                provider=provider,
                token=token or f"{user_id}-{device_id}",
                updated_at_ms=7,
            )
            save_push_token(tx, one, identity=token_identity(provider, one.token))  # type: ignore[arg-type]

        self.stage.doors[0].database.transaction(work)

    def work_off(self) -> list[PushRecord]:
        """Let the worker do what was announced, and return what it decided on."""
        tasks = [one for one in self.stage.producer.records if one.topic == "im-task-topic"]
        self.stage.producer.records.clear()
        verdicts = self.tasks.apply([incoming(one.topic, number, one.value) for number, one in enumerate(tasks)])
        assert not verdicts.failed
        return [decode(PushRecord, one.value) for one in self.stage.producer.of_topic(PUSH_TOPIC)]

    def push(self) -> PushVerdicts:
        """Let `push` do what was decided on; what was produced stays, and comes again with the next call."""
        records = self.stage.producer.of_topic(PUSH_TOPIC)
        return self.batches.apply([incoming(PUSH_TOPIC, number, one.value) for number, one in enumerate(records)])

    def fates(self) -> list[tuple[int, int, str, str]]:
        """Return the log: user, seq, outcome and reason."""
        sql = "SELECT user_id, seq, outcome, reason FROM push_log ORDER BY user_id, seq"
        return [tuple(row) for row in self.stage.doors[0].database.read(lambda tx: tx.query(sql))]

    def mute(self, user_id: UserId) -> None:
        """Mute the chat."""
        sql = "UPDATE conversation_participants SET muted = TRUE WHERE user_id = %s"
        self.stage.doors[0].database.transaction(lambda tx: tx.execute(sql, (user_id,)))


def incoming(topic: str, offset: int, value: bytes) -> IncomingRecord:
    """Return a record of a topic."""
    return IncomingRecord(topic=topic, partition=0, offset=offset, timestamp_ms=0, key=b"k", value=value, headers={})


def make_push_stage(stage: Stage, phones: Phones, **others: PushProvider) -> PushStage:
    """Put the worker, RepoService and `push` together; Bob has a phone, which is reached through `phones`."""
    door = stage.doors[0]
    tasks = make_batches(door.database, door.cache, stage.producer, stage.clock, page_members=500)
    server = wiring.build(
        {
            "GOCHAT_STAGE": "test",
            "GOCHAT_MYSQL_HOST": stage.mysql.mysql_host,
            "GOCHAT_MYSQL_PORT": str(stage.mysql.mysql_port),
            "GOCHAT_MYSQL_USER": stage.mysql.mysql_user,
            "GOCHAT_MYSQL_DATABASE": stage.mysql.mysql_database,
            "GOCHAT_REDIS_HOST": stage.redis.redis_host,
            "GOCHAT_REDIS_PORT": str(stage.redis.redis_port),
        }
    )
    clock = SystemClock()
    sender = Sender({"fcm": phones, **others}, clock, pause=lambda _: None, jitter=lambda: 0.0)
    made = PushStage(
        stage,
        phones,
        tasks,
        PushBatches(RepoServiceStub(InvokeChannel(server.handle_payload)), sender, clock, lambda letters: None),
    )
    made.log_in(BOB)
    return made
