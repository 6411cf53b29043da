"""The one error tree: every code of the public contract, with its HTTP status and whether a retry can help.

GochatError
├── Refusal                         will fail again however often it is sent
│   ├── InvalidRequest              400 invalid_request
│   ├── Unauthenticated             401 unauthenticated
│   │   ├── TokenExpired            401 token_expired
│   │   └── InvalidCredentials      401 invalid_credentials
│   ├── Forbidden                   403 forbidden
│   │   ├── Blocked                 403 blocked
│   │   ├── NotFriends              403 not_friends
│   │   └── Muted                   403 muted
│   ├── NotFound                    404 not_found
│   │   ├── UserNotFound            404 user_not_found
│   │   ├── ConversationNotFound    404 conversation_not_found
│   │   ├── MessageNotFound         404 message_not_found
│   │   ├── FriendNotFound          404 friend_not_found
│   │   ├── FriendRequestNotFound   404 friend_request_not_found
│   │   ├── GroupNotFound           404 group_not_found
│   │   ├── MediaNotFound           404 media_not_found
│   │   ├── DeviceNotFound          404 device_not_found
│   │   └── SessionNotFound         404 session_not_found
│   ├── MethodNotAllowed            405 method_not_allowed
│   ├── UsernameTaken               409 username_taken
│   ├── AlreadyFriends              409 already_friends
│   ├── FriendRequestClosed         409 friend_request_closed
│   ├── GroupFull                   409 group_full
│   ├── GroupDissolved              409 group_dissolved
│   ├── IdempotencyConflict         409 idempotency_conflict
│   ├── ClientMsgIdConflict         409 client_msg_id_conflict
│   ├── PayloadTooLarge             413 payload_too_large
│   └── InternalError               500 internal_error
└── TryLater                        may succeed when it is sent again
    ├── RateLimited                 429 rate_limited
    ├── TooManyAttempts             429 too_many_attempts
    └── Unavailable                 503 unavailable

Raised anywhere, rendered at exactly one boundary of each function. `docs/errors.md` is generated from this module.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class FieldFault:
    """One fault of a request: `field` is the dotted path in the body or the parameter's name."""

    field: str
    message: str


class GochatError(Exception):
    """Base of all that GoChat tells a client; `detail` is safe to show: it never holds SQL, stacks or secrets."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, detail: str = "", *, faults: Iterable[FieldFault] = (), retry_after_ms: int | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.faults = tuple(faults)
        self.retry_after_ms = retry_after_ms


class Refusal(GochatError):
    """Bad for ever: sending it again gives the same answer."""


class TryLater(GochatError):
    """Nothing was decided: the same request may succeed later, and repeating it is safe."""

    retryable = True


class InvalidRequest(Refusal):
    """The request breaks a rule of the contract; `faults` lists every field at fault."""

    code, status, title = "invalid_request", 400, "The request is not valid"


class Unauthenticated(Refusal):
    """No token, a bad one, or one whose login was revoked."""

    code, status, title = "unauthenticated", 401, "Authentication is required"


class TokenExpired(Unauthenticated):
    """The access token was good but its time is over: refresh it."""

    code, title = "token_expired", "The access token has expired"


class InvalidCredentials(Unauthenticated):
    """Wrong username or password; which of them is never told."""

    code, title = "invalid_credentials", "The credentials are not valid"


class Forbidden(Refusal):
    """The caller is known and may see the object, but not do this."""

    code, status, title = "forbidden", 403, "This is not allowed"


class Blocked(Forbidden):
    """The recipient has blocked the sender."""

    code, title = "blocked", "The recipient does not accept messages from you"


class NotFriends(Forbidden):
    """This deployment lets friends alone write to each other, and the two are none."""

    code, title = "not_friends", "Only friends may write to this user"


class Muted(Forbidden):
    """The sender may not speak in this conversation at the moment."""

    code, title = "muted", "You are muted in this conversation"


class NotFound(Refusal):
    """There is no such thing, or the caller may not know of it: both look the same."""

    code, status, title = "not_found", 404, "There is nothing here"


class UserNotFound(NotFound):
    """No such user, or the account was deleted."""

    code, title = "user_not_found", "There is no such user"


class ConversationNotFound(NotFound):
    """No such conversation, or the caller is not (or no longer) a member."""

    code, title = "conversation_not_found", "There is no such conversation"


class MessageNotFound(NotFound):
    """No message has this seq in the conversation, as far as the caller may see."""

    code, title = "message_not_found", "There is no such message"


class FriendNotFound(NotFound):
    """The caller is not a friend of this user."""

    code, title = "friend_not_found", "There is no such friend"


class FriendRequestNotFound(NotFound):
    """The caller was not sent a friend request with this id."""

    code, title = "friend_request_not_found", "There is no such friend request"


class GroupNotFound(NotFound):
    """No such group, or the caller is not (or no longer) a member."""

    code, title = "group_not_found", "There is no such group"


class MediaNotFound(NotFound):
    """No file can have this media id."""

    code, title = "media_not_found", "There is no such file"


class DeviceNotFound(NotFound):
    """The caller is not logged in from a device with this id."""

    code, title = "device_not_found", "There is no such device"


class SessionNotFound(NotFound):
    """The caller has no login with this id."""

    code, title = "session_not_found", "There is no such session"


class MethodNotAllowed(Refusal):
    """The path exists, but not with this method."""

    code, status, title = "method_not_allowed", 405, "The method is not allowed here"


class UsernameTaken(Refusal):
    """Somebody else has this username (usernames are case-insensitive)."""

    code, status, title = "username_taken", 409, "The username is taken"


class AlreadyFriends(Refusal):
    """The two are friends: there is nothing to ask for."""

    code, status, title = "already_friends", 409, "You are friends already"


class FriendRequestClosed(Refusal):
    """The friend request was answered the other way, or a block has withdrawn it."""

    code, status, title = "friend_request_closed", 409, "The friend request was decided otherwise"


class GroupFull(Refusal):
    """The group can't have so many members."""

    code, status, title = "group_full", 409, "The group has no room for so many members"


class GroupDissolved(Refusal):
    """The group was dissolved: its history can be read, nothing is written to it any more."""

    code, status, title = "group_dissolved", 409, "The group was dissolved"


class IdempotencyConflict(Refusal):
    """The same idempotency key came with another request."""

    code, status, title = "idempotency_conflict", 409, "The idempotency key was used for another request"


class ClientMsgIdConflict(Refusal):
    """The same client_msg_id came with other content."""

    code, status, title = "client_msg_id_conflict", 409, "The client_msg_id was used for another message"


class PayloadTooLarge(Refusal):
    """The body is larger than the contract allows."""

    code, status, title = "payload_too_large", 413, "The payload is too large"


class InternalError(Refusal):
    """A fault of ours; its cause stands in the logs under the request id."""

    code, status, title = "internal_error", 500, "Internal error"


class RateLimited(TryLater):
    """The caller sends faster than the limits told in `hello`."""

    code, status, title = "rate_limited", 429, "Too many requests"


class TooManyAttempts(TryLater):
    """Too many failed logins for this username."""

    code, status, title = "too_many_attempts", 429, "Too many failed attempts"


class Unavailable(TryLater):
    """A store or the broker can't be reached, or answered too late to know what happened."""

    code, status, title = "unavailable", 503, "The service is unavailable for the moment"


def every_error() -> Iterator[type[GochatError]]:
    """Yield each class that has a code of its own, in the order of the tree above."""

    def below(parent: type[GochatError]) -> Iterator[type[GochatError]]:
        for child in parent.__subclasses__():
            # Adapters derive classes of their own, which are told to clients as what they derive from.
            if "code" in vars(child):
                yield child
            yield from below(child)

    return below(GochatError)


_BY_CODE: dict[str, type[GochatError]] = {}


def error_class(code: str) -> type[GochatError]:
    """Return the class of a code that came over a wire; an unknown code (a newer peer's) becomes InternalError."""
    if not _BY_CODE:
        _BY_CODE.update({error.code: error for error in every_error()})
    return _BY_CODE.get(code, InternalError)
