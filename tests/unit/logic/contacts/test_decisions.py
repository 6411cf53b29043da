import itertools
from typing import Any

import msgspec
import pytest

from gochat_core.errors import (
    AlreadyFriends,
    Blocked,
    Forbidden,
    FriendRequestClosed,
    FriendRequestNotFound,
    GochatError,
    NotFriends,
    Unauthenticated,
    UserNotFound,
)
from gochat_core.types import FriendRequestId, UserId
from gochat_repo.contact_pairs import PairState
from gochat_repo.friend_requests import FriendRequest, SeenRequest
from gochat_repo.users import User
from logic.contacts.answer_friend_request import plan_answer
from logic.contacts.contact_events import tell_removal, tell_request
from logic.contacts.may_contact import check_may_contact
from logic.contacts.send_friend_request import plan_friend_request

ALICE, BOB = UserId(1), UserId(2)


def user(user_id: UserId) -> User:
    return User(user_id=user_id, username=f"u{user_id}", display_name="U", avatar_url=None, created_at_ms=1)


def request(sender: UserId = ALICE, status: Any = "pending", request_id: int = 7) -> FriendRequest:
    return FriendRequest(
        request_id=FriendRequestId(request_id),
        sender_id=sender,
        recipient_id=BOB if sender == ALICE else ALICE,
        message="hi",
        status=status,
        created_at_ms=5,
    )


def state(**changes: Any) -> PairState:
    """Give the state of two strangers, Alice the caller, but for the changes."""
    strangers = PairState(
        caller=user(ALICE), peer=user(BOB), has_blocked=False, is_blocked=False, are_friends=False, request=None
    )
    return msgspec.structs.replace(strangers, **changes)


ASKED = request(request_id=8)

ASKING: list[tuple[str, dict[str, Any], object]] = [
    ("strangers", {}, ASKED),
    ("asked before", {"request": request(ALICE)}, request(ALICE)),
    ("asked by the other", {"request": request(BOB)}, request(BOB, "accepted")),
    ("friends", {"are_friends": True}, AlreadyFriends),
    ("blocked", {"is_blocked": True}, Blocked),
    ("has blocked", {"has_blocked": True}, Forbidden),
    ("both have blocked", {"has_blocked": True, "is_blocked": True}, Blocked),
    ("unknown", {"peer": None}, UserNotFound),
    ("unknown and blocked", {"peer": None, "is_blocked": True}, UserNotFound),
    ("erased meanwhile", {"caller": None}, Unauthenticated),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in ASKING], ids=[row[0] for row in ASKING])
def test_what_asking_comes_to(changes: dict[str, Any], expected: object) -> None:
    if isinstance(expected, type):
        with pytest.raises(GochatError) as refused:
            plan_friend_request(state(**changes), ASKED)
        assert type(refused.value) is expected
    else:
        given, own, other = plan_friend_request(state(**changes), ASKED)
        assert (given, own.user_id, other.user_id) == (expected, ALICE, BOB)


ANSWERING: dict[tuple[str, str], object] = {
    ("pending", "accepted"): "accepted",
    ("pending", "rejected"): "rejected",
    ("accepted", "accepted"): "accepted",
    ("accepted", "rejected"): FriendRequestClosed,
    ("rejected", "accepted"): FriendRequestClosed,
    ("rejected", "rejected"): "rejected",
    ("withdrawn", "accepted"): FriendRequestClosed,
    ("withdrawn", "rejected"): FriendRequestClosed,
}


@pytest.mark.parametrize(("before", "verdict"), ANSWERING)
def test_what_an_answer_comes_to(before: str, verdict: Any) -> None:
    expected = ANSWERING[before, verdict]
    held = request(BOB, before)
    if isinstance(expected, type):
        with pytest.raises(expected):
            plan_answer(state(request=held), verdict)
    else:
        given, _, _ = plan_answer(state(request=held), verdict)
        assert given.status == expected
        assert (given is held) == (before == verdict), "what stands already is the very same request"


@pytest.mark.parametrize(
    "changes", [{}, {"peer": None, "request": request(BOB)}, {"caller": None, "request": request(BOB)}]
)
@pytest.mark.parametrize("verdict", ["accepted", "rejected"])
def test_a_request_that_has_gone_can_not_be_answered(changes: dict[str, Any], verdict: Any) -> None:
    with pytest.raises(FriendRequestNotFound):
        plan_answer(state(**changes), verdict)


def test_who_is_blocked_or_no_friend_says_nothing_new() -> None:
    refused = {
        (is_blocked, are_friends): type(refusal(is_blocked=is_blocked, are_friends=are_friends))
        for is_blocked, are_friends in itertools.product((False, True), repeat=2)
    }
    assert refused == {
        (False, True): type(None),
        (False, False): NotFriends,
        (True, True): Blocked,
        (True, False): Blocked,
    }


def refusal(*, is_blocked: bool, are_friends: bool) -> GochatError | None:
    try:
        check_may_contact(is_blocked=is_blocked, are_friends=are_friends)
    except GochatError as refused:
        return refused
    return None


@pytest.mark.parametrize("sender", [ALICE, BOB])
@pytest.mark.parametrize(
    ("status", "event"),
    [
        ("pending", "friend.requested"),
        ("accepted", "friend.accepted"),
        ("rejected", "friend.rejected"),
        ("withdrawn", "friend.withdrawn"),
    ],
)
def test_either_is_told_of_a_request_as_that_one_sees_it(sender: UserId, status: Any, event: str) -> None:
    entry = tell_request(request(sender, status), user(ALICE), user(BOB), number=3)
    assert (entry.kind, entry.number, entry.conversation_id) == ("notice", 3, request().conversation_id)
    told = {one["user_id"]: one for one in msgspec.json.decode(entry.payload or b"")}
    assert {one["event"] for one in told.values()} == {event}
    seen = {user_id: one["data"]["request"] for user_id, one in told.items()}
    recipient = BOB if sender == ALICE else ALICE
    assert (seen[sender]["direction"], seen[sender]["user"]["user_id"]) == ("outgoing", str(recipient))
    assert (seen[recipient]["direction"], seen[recipient]["user"]["user_id"]) == ("incoming", str(sender))


def test_either_is_told_whom_it_has_lost() -> None:
    entry = tell_removal(ALICE, BOB, number=4)
    told = {one["user_id"]: one["data"] for one in msgspec.json.decode(entry.payload or b"")}
    assert told == {ALICE: {"user_id": "2"}, BOB: {"user_id": "1"}}


def test_a_requests_direction_is_its_viewers() -> None:
    assert SeenRequest(request=request(ALICE), peer=user(BOB)).direction == "outgoing"
    assert SeenRequest(request=request(ALICE), peer=user(ALICE)).direction == "incoming"
