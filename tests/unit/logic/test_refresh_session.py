import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_core.types import DeviceId, SessionId, UserId
from gochat_repo.sessions import Session
from logic.auth.ports import SESSION_LIFETIME_MS
from logic.auth.refresh_session import REPEAT_WINDOW_MS, Outcome, plan_refresh

NOW = 1_795_413_600_000
KEY, OTHER_KEY = b"k" * 32, b"o" * 32

# In its fifth generation since ten seconds, by a refresh that had the idempotency key KEY.
SESSION = Session(
    session_id=SessionId(2),
    user_id=UserId(1),
    device_id=DeviceId("phone"),
    platform="ios",
    salt=b"s" * 16,
    generation=5,
    rotated_at_ms=NOW - 10_000,
    rotation_key_hash=KEY,
    created_at_ms=NOW - 1_000_000,
    last_used_at_ms=NOW - 10_000,
    expires_at_ms=NOW + 1_000_000,
    revoked_at_ms=None,
)


@pytest.mark.parametrize(
    ("generation", "key_hash", "changes", "outcome"),
    [
        (5, None, {}, Outcome.ROTATED),
        (5, KEY, {}, Outcome.ROTATED),
        (4, KEY, {}, Outcome.REPEATED),
        (4, KEY, {"rotated_at_ms": NOW - REPEAT_WINDOW_MS}, Outcome.REPEATED),
        (4, KEY, {"rotated_at_ms": NOW - REPEAT_WINDOW_MS - 1}, Outcome.REUSED),
        (4, OTHER_KEY, {}, Outcome.REUSED),
        (4, None, {}, Outcome.REUSED),
        (4, None, {"rotation_key_hash": None}, Outcome.REUSED),
        (3, KEY, {}, Outcome.REUSED),
        (1, KEY, {}, Outcome.REUSED),
        (6, KEY, {}, Outcome.REFUSED),
        (5, None, {"revoked_at_ms": NOW - 1}, Outcome.REFUSED),
        (4, KEY, {"revoked_at_ms": NOW - 1}, Outcome.REFUSED),
        (3, None, {"revoked_at_ms": NOW - 1}, Outcome.REFUSED),
        (5, None, {"expires_at_ms": NOW}, Outcome.REFUSED),
    ],
)
def test_what_becomes_of_a_refresh(
    generation: int, key_hash: bytes | None, changes: dict[str, int], outcome: Outcome
) -> None:
    session = dataclasses.replace(SESSION, **changes)  # type: ignore[arg-type]
    decision = plan_refresh(session, is_genuine=True, generation=generation, key_hash=key_hash, now_ms=NOW)
    assert decision.outcome is outcome
    assert (decision.rotation is not None) is (outcome is Outcome.ROTATED)


def test_a_rotation_counts_on_and_lengthens_the_login() -> None:
    decision = plan_refresh(SESSION, is_genuine=True, generation=5, key_hash=OTHER_KEY, now_ms=NOW)
    assert decision.rotation is not None
    assert (decision.generation, decision.issued_at_ms) == (6, NOW)
    assert decision.rotation.rotation_key_hash == OTHER_KEY
    assert decision.rotation.expires_at_ms == NOW + SESSION_LIFETIME_MS


def test_a_repeated_answer_carries_the_time_of_the_first() -> None:
    decision = plan_refresh(SESSION, is_genuine=True, generation=4, key_hash=KEY, now_ms=NOW)
    assert (decision.generation, decision.issued_at_ms) == (5, SESSION.rotated_at_ms)


@given(st.integers(min_value=0, max_value=10), st.none() | st.just(KEY))
def test_a_token_that_we_did_not_make_harms_nobodys_login(generation: int, key_hash: bytes | None) -> None:
    decision = plan_refresh(SESSION, is_genuine=False, generation=generation, key_hash=key_hash, now_ms=NOW)
    assert decision.outcome is Outcome.REFUSED


def test_a_token_of_no_session_is_refused() -> None:
    assert plan_refresh(None, is_genuine=True, generation=1, key_hash=None, now_ms=NOW).outcome is Outcome.REFUSED


STEPS = st.lists(
    st.tuples(
        st.integers(min_value=1, max_value=8),
        st.sampled_from([None, KEY, OTHER_KEY]),
        st.sampled_from([0, 1_000, REPEAT_WINDOW_MS // 2, REPEAT_WINDOW_MS + 1]),
    ),
    max_size=12,
)


@given(STEPS)
def test_whatever_is_tried_only_the_latest_pair_or_its_repeat_is_ever_given(
    steps: list[tuple[int, bytes | None, int]],
) -> None:
    """Play refreshes with tokens of any generation against a session, as its row would see them."""
    session, now_ms = dataclasses.replace(SESSION, generation=1, rotated_at_ms=NOW, rotation_key_hash=None), NOW
    given_for: dict[tuple[int, bytes | None], tuple[int, int]] = {}
    for generation, key_hash, pause_ms in steps:
        now_ms += pause_ms
        decision = plan_refresh(session, is_genuine=True, generation=generation, key_hash=key_hash, now_ms=now_ms)
        pair = (decision.generation, decision.issued_at_ms)
        if decision.outcome is Outcome.ROTATED:
            assert decision.rotation is not None
            assert decision.generation == session.generation + 1
            session = dataclasses.replace(session, **dataclasses.asdict(decision.rotation))
            given_for[generation, key_hash] = pair
        elif decision.outcome is Outcome.REPEATED:
            assert given_for[generation, key_hash] == pair
            assert decision.generation == session.generation
        elif decision.outcome is Outcome.REUSED:
            session = dataclasses.replace(session, revoked_at_ms=now_ms)
        if session.revoked_at_ms is not None and decision.outcome is not Outcome.REUSED:
            assert decision.outcome is Outcome.REFUSED
