"""Runs a mutating call once for each idempotency key of a user, and tells its first answer again to who repeats it."""

import time
from collections.abc import Callable
from enum import Enum
from functools import cache
from hashlib import sha256
from typing import Any

from aws_lambda_powertools import Logger
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from gochat_contracts.error_metadata import decode_error, encode_error
from gochat_core.clock import Clock
from gochat_core.errors import InternalError, Refusal, Unauthenticated, Unavailable
from gochat_core.tokens import Identity
from gochat_repo.idempotency_keys import Claim, IdempotencyKeys, KeyedRequest, StoredAnswer
from logic.rpc.calls import Call


class Again(Enum):
    """What a repeat of a call under its key is told."""

    FIRST_ANSWER = "the answer that was stored"
    RUN_AGAIN = "the answer of another run, which draws the same ids: for answers that go stale or are secret"


KEYED_METHODS = {
    "/gochat.logic.v1.UserService/UpdateMe": Again.FIRST_ANSWER,
    "/gochat.logic.v1.UserService/DeleteMe": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ConversationService/CreateConversation": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ConversationService/UpdateConversation": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ConversationService/HideConversation": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ConversationService/MarkRead": Again.FIRST_ANSWER,
    "/gochat.logic.v1.MessageService/SendMessage": Again.FIRST_ANSWER,
    "/gochat.logic.v1.MediaService/CreateUpload": Again.RUN_AGAIN,
    "/gochat.logic.v1.ContactService/SendFriendRequest": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ContactService/AcceptFriendRequest": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ContactService/RejectFriendRequest": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ContactService/UpdateFriend": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ContactService/RemoveFriend": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ContactService/BlockUser": Again.FIRST_ANSWER,
    "/gochat.logic.v1.ContactService/UnblockUser": Again.FIRST_ANSWER,
    "/gochat.logic.v1.GroupService/CreateGroup": Again.FIRST_ANSWER,
    "/gochat.logic.v1.GroupService/UpdateGroup": Again.FIRST_ANSWER,
    "/gochat.logic.v1.GroupService/DissolveGroup": Again.FIRST_ANSWER,
    "/gochat.logic.v1.GroupService/AddGroupMembers": Again.FIRST_ANSWER,
    "/gochat.logic.v1.GroupService/RemoveGroupMember": Again.FIRST_ANSWER,
    "/gochat.logic.v1.GroupService/UpdateGroupMember": Again.FIRST_ANSWER,
    "/gochat.logic.v1.GroupService/TransferGroup": Again.FIRST_ANSWER,
    "/gochat.logic.v1.PushService/SetPushToken": Again.FIRST_ANSWER,
    "/gochat.logic.v1.PushService/RemovePushToken": Again.FIRST_ANSWER,
    "/gochat.logic.v1.PushService/SetPushPreferences": Again.FIRST_ANSWER,
}
"""Every method behind a mutating REST route outside /auth; a test compares them. Any other method ignores a key."""

SELF_ENDING_METHODS = frozenset({"/gochat.logic.v1.UserService/DeleteMe"})
"""Methods that end the login that calls them: their answer is told again to a login that has ended."""

WAITS_MS = (50, 100, 200, 400, 800)
"""How long a call waits, bit by bit, for another run of it to end, before its client is asked to come again."""

RETRY_AFTER_MS = 1_000


class KeyedCalls:
    """The door through which calls with a key go to their use cases."""

    def __init__(
        self,
        keys: IdempotencyKeys,
        *,
        clock: Clock,
        logger: Logger,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._logger = logger
        self._pause = pause

    def run(self, call: Call, who: Identity, key: str, request: Message, answer: Callable[[], Any]) -> Any:
        """Return what `answer` returns, or what it returned when this request first came with this key.

        Refusals are answers as well; what may succeed later is none, nor is a fault of ours. Runs again after a crash
        between effect and storing, so `answer` is idempotent by itself. Raises `IdempotencyConflict` for a key that
        came with another request, `Unavailable` while another run is under way. Four database round trips for the first
        run, three for a repeat.
        """
        found = self._claim(_keyed_request(call.method, who, key, request))
        if isinstance(found, StoredAnswer):
            return _tell_again(call, found)
        call.seed = found.seed
        is_kept = False
        try:
            response = answer()
            if KEYED_METHODS[call.method] is Again.FIRST_ANSWER:
                self._keys.keep(found, StoredAnswer(response=response.SerializeToString(), refusal=None))
                is_kept = True
        except Refusal as refusal:
            if not isinstance(refusal, Unauthenticated | InternalError):
                self._keys.keep(found, StoredAnswer(response=None, refusal=encode_error(refusal)))
                is_kept = True
            raise
        finally:
            if not is_kept:
                self._give_up(call, found)
        return response

    def tell_again(self, call: Call, who: Identity, key: str, request: Message) -> Any:
        """Return what this request was answered, or raise its refusal; None when it never was. Runs nothing."""
        stored = self._keys.find_answer(_keyed_request(call.method, who, key, request), now_ms=self._clock.now_ms())
        return None if stored is None else _tell_again(call, stored)

    def _claim(self, request: KeyedRequest) -> Claim | StoredAnswer:
        for wait_ms in (*WAITS_MS, None):
            found = self._keys.claim(request, now_ms=self._clock.now_ms())
            if found is not None:
                return found
            if wait_ms is not None:
                self._pause(wait_ms / 1000)
        raise Unavailable("The same request is being answered", retry_after_ms=RETRY_AFTER_MS)

    def _give_up(self, call: Call, claim: Claim) -> None:
        """Let a repeat run at once; without the database it may once the claim counts as abandoned."""
        try:
            self._keys.give_up(claim)
        except Unavailable:
            self._logger.warning("claim not given up", extra={"method": call.method, "request_id": call.request_id})


def _tell_again(call: Call, stored: StoredAnswer) -> Any:
    call.outcome = "told_again"
    if stored.refusal is not None:
        raise decode_error(stored.refusal)
    return _response_class(call.method).FromString(stored.response or b"")


def _keyed_request(method: str, who: Identity, key: str, request: Message) -> KeyedRequest:
    asked = f"{method}\0".encode() + request.SerializeToString(deterministic=True)
    return KeyedRequest(
        user_id=who.user_id, key_hash=sha256(key.encode()).digest(), request_hash=sha256(asked).digest()
    )


@cache
def _response_class(method: str) -> type[Message]:
    """Return the class of a method's responses; the generated stubs have registered their services."""
    found = descriptor_pool.Default().FindMethodByName(method.removeprefix("/").replace("/", "."))
    return message_factory.GetMessageClass(found.output_type)
