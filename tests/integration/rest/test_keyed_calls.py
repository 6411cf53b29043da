"""Keyed calls over the real table: crashes, overtaken runs and expiry, at a time that the test sets."""

from collections.abc import Callable
from typing import Any

import pytest

from gochat_contracts.logic import users_pb2
from gochat_core.errors import InternalError, Unavailable
from gochat_core.logs import make_logger
from gochat_core.tokens import Identity
from gochat_core.tracing import parse_trace
from gochat_core.types import DeviceId, SessionId, UserId
from gochat_repo.idempotency_keys import ABANDONED_AFTER_MS, LIFETIME_MS, IdempotencyKeys, delete_expired_keys
from logic.rpc.calls import Call, begin_call, draw_id
from logic.rpc.keyed_calls import KeyedCalls
from tests.fakes.clock import SettableClock
from tests.integration.rest.conftest import Rest


class UseCase:
    """A use case that counts its runs and ends each as the test says."""

    def __init__(self) -> None:
        self.runs: list[bytes] = []
        self.fault: BaseException | None = None

    def __call__(self) -> users_pb2.UserResponse:
        self.runs.append(draw_id("thing"))
        if self.fault is not None:
            raise self.fault
        return users_pb2.UserResponse(user=users_pb2.User(user_id=len(self.runs)))


class Door:
    """Keyed calls over the real table, at a time that the test sets."""

    def __init__(self, rest: Rest) -> None:
        self.clock = SettableClock()
        self.keys = IdempotencyKeys(rest.rpc.database)
        self.pauses: list[float] = []
        self._keyed = KeyedCalls(self.keys, clock=self.clock, logger=make_logger("test"), pause=self.pauses.append)
        self._user_id = UserId(int(rest.register("door")["user_id"]))
        self.rest = rest

    def call(self, use_case: Callable[[], Any], *, key: str = "k", name: str = "A") -> Any:
        who = Identity(
            user_id=self._user_id, session_id=SessionId(1), device_id=DeviceId("d"), expires_at_ms=self.clock.now_ms()
        )
        call = Call(method="/gochat.logic.v1.UserService/UpdateMe", request_id="r", trace=parse_trace(None, now_ms=0))
        begin_call(call)
        return self._keyed.run(call, who, key, users_pb2.UpdateMeRequest(display_name=name), use_case)


@pytest.fixture
def door(rest: Rest) -> Door:
    return Door(rest)


class ContainerDied(BaseException):
    """Stands for a container that is gone before anything more could run."""


@pytest.mark.parametrize("fault", [Unavailable(), InternalError(), RuntimeError()])
def test_what_decided_nothing_is_no_answer_and_a_repeat_runs_at_once(door: Door, fault: Exception) -> None:
    use_case = UseCase()
    use_case.fault = fault
    with pytest.raises(type(fault)):
        door.call(use_case)
    use_case.fault = None
    assert door.call(use_case).user.user_id == 2
    assert door.call(use_case).user.user_id == 2
    assert len(use_case.runs) == 2
    assert door.pauses == []


def test_after_a_crash_before_the_answer_was_stored_the_rerun_draws_the_same_ids(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_case = UseCase()
    with monkeypatch.context() as patched:
        for step in ("keep", "give_up"):
            patched.setattr(IdempotencyKeys, step, lambda *_: (_ for _ in ()).throw(ContainerDied))
        with pytest.raises(ContainerDied):
            door.call(use_case)
    # While the dead run may still be alive, nobody runs the request a second time.
    with pytest.raises(Unavailable) as refused:
        door.call(use_case)
    assert refused.value.retry_after_ms
    assert sum(door.pauses) < 2
    door.clock.advance_ms(ABANDONED_AFTER_MS)
    assert door.call(use_case).user.user_id == 2
    first, second = use_case.runs
    assert first == second


def test_an_answer_that_could_not_be_stored_is_not_told(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    use_case = UseCase()
    with monkeypatch.context() as patched:
        patched.setattr(IdempotencyKeys, "keep", lambda *_: (_ for _ in ()).throw(Unavailable))
        with pytest.raises(Unavailable):
            door.call(use_case)
    assert door.call(use_case).user.user_id == 2
    assert door.call(use_case).user.user_id == 2
    first, second = use_case.runs
    assert first == second


def test_without_the_database_nothing_runs(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    use_case = UseCase()
    with monkeypatch.context() as patched:
        patched.setattr(IdempotencyKeys, "claim", lambda *_, **__: (_ for _ in ()).throw(Unavailable))
        with pytest.raises(Unavailable):
            door.call(use_case)
    assert use_case.runs == []


def test_a_run_that_was_overtaken_does_not_write_over_the_answer(door: Door) -> None:
    overtaking = UseCase()

    def slow() -> users_pb2.UserResponse:
        door.clock.advance_ms(ABANDONED_AFTER_MS)
        assert door.call(overtaking).user.user_id == 1
        return users_pb2.UserResponse(user=users_pb2.User(user_id=99))

    assert door.call(slow).user.user_id == 99
    assert door.call(overtaking).user.user_id == 1
    assert len(overtaking.runs) == 1


def test_after_24_hours_a_key_is_new_and_draws_other_ids(door: Door) -> None:
    use_case = UseCase()
    door.call(use_case, name="A")
    door.clock.advance_ms(LIFETIME_MS - 1)
    assert door.call(use_case, name="A").user.user_id == 1
    door.clock.advance_ms(1)
    assert door.call(use_case, name="B").user.user_id == 2
    first, second = use_case.runs
    assert first != second


def test_expired_keys_are_deleted_a_few_at_a_time(door: Door) -> None:
    def delete(limit: int) -> int:
        return door.rest.rpc.database.transaction(lambda tx: delete_expired_keys(tx, door.clock.now_ms(), limit))

    door.clock.advance_ms(3 * LIFETIME_MS)
    delete(10_000)  # what other tests left
    for key in ("a", "b", "c"):
        door.call(UseCase(), key=key)
    assert delete(10) == 0
    door.clock.advance_ms(LIFETIME_MS)
    assert [delete(2), delete(2), delete(2)] == [2, 1, 0]
