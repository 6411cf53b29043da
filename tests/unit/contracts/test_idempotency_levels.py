"""Which gRPC methods may be made again: what the .proto files mark, and nothing else."""

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions

from dev_cli.generation.protobuf import SOURCES, proto_files
from gochat_aws.retries import is_idempotent
from gochat_contracts.logic import (  # noqa: F401  # registers the services
    auth_pb2,
    contacts_pb2,
    conversations_pb2,
    groups_pb2,
    media_pb2,
    messages_pb2,
    push_pb2,
    sync_pb2,
    users_pb2,
)
from gochat_contracts.repo import repo_pb2  # noqa: F401

ONCE = {
    "Register",  # a repeat answers username_taken
    "Authenticate",  # opens another login, and counts another failure
    "RefreshSession",  # a repeat without a key is a stolen token
    "Logout",  # the token that would repeat it has ended
    "ChangePassword",
    "CreateTicket",
    "DeleteMe",
    "CreateGroup",  # makes another one
    "TransferGroup",  # the former owner can't do it again
    "SendFriendRequest",  # once it was declined, a repeat asks anew
    "HideConversation",  # a repeat would hide what came in between
    "CreateUpload",
    "ClaimConnectionChecks",  # the next call has others
    "RecheckPushes",  # a claim is given once more and no oftener
}


def _methods() -> dict[str, int]:
    """Return every method's full name with its mark."""
    found: dict[str, int] = {}
    for path in proto_files():
        file = descriptor_pool.Default().FindFileByName(str(path.relative_to(SOURCES)))
        for service in file.services_by_name.values():
            for method in service.methods:
                found[f"/{service.full_name}/{method.name}"] = method.GetOptions().idempotency_level
    return found


def test_every_method_is_marked_or_known_to_be_for_once() -> None:
    unmarked = {name.rsplit("/", 1)[-1] for name, level in _methods().items() if level == 0}
    assert unmarked == ONCE


def test_methods_that_are_named_as_reading_are_marked_so() -> None:
    reading = {
        name
        for name, level in _methods().items()
        if name.rsplit("/", 1)[-1].startswith(("Get", "List", "Search", "Check", "Count", "Sync"))
        if level != MethodOptions.NO_SIDE_EFFECTS
    }
    assert reading == set()


def test_only_marked_methods_are_made_again() -> None:
    for name, level in _methods().items():
        assert is_idempotent(name) == (level != 0)
    assert not is_idempotent("/gochat.logic.v1.MessageService/Unknown")
