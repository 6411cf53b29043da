"""docs/api/asyncapi.yaml says the same as the code."""

from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest
import yaml

from gateway.websocket.actions import ACTIONS
from gateway.websocket.actions.hello import HelloAnswer, ToldLimits
from gateway.websocket.actions.send_message import Accepted
from gateway.websocket.ending import SESSION_REPLACED, SESSION_REVOKED
from gateway.websocket.presence import States
from gochat_contracts.commands import Command
from gochat_contracts.contacts import FriendRequestView
from gochat_contracts.content_types import MAX_INT, MAX_PIXELS, MAX_TEXT_CHARACTERS, MESSAGE_TYPES
from gochat_contracts.emoji import MAX_CODE_POINTS
from gochat_contracts.message_content import MAX_MENTIONS
from gochat_contracts.presence import MAX_ASKED, PresenceView
from gochat_contracts.views import MessageView, ReactionView
from gochat_core.ids import CLIENT_ID
from logic.contacts.contact_events import FRIEND_REMOVED, RequestEvent
from tests.fakes.openapi_document import document

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "docs" / "api" / "asyncapi.yaml").read_text())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

PLATFORM_ACTIONS = {"ping"}
"""Answered by the API itself."""


def keys(messages: list[dict[str, str]]) -> set[str]:
    return {message["$ref"].rsplit("/", 1)[-1] for message in messages}


def messages_of(operation: str) -> set[str]:
    """Give the actions or events of an operation; an action and an event may have one name, so keys won't do."""
    return {frame_name(MESSAGES[key]["payload"]) for key in keys(DOCUMENT["operations"][operation]["messages"])}


def frame_name(payload: dict[str, Any]) -> str:
    for part in (payload, *payload.get("allOf", ())):
        for member in ("action", "event"):
            if "const" in part.get("properties", {}).get(member, {}):
                return str(part["properties"][member]["const"])
    raise AssertionError(payload)


def field_names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def test_the_document_names_the_actions_that_the_code_knows() -> None:
    assert messages_of("act") == set(ACTIONS) | PLATFORM_ACTIONS


def test_the_document_names_the_ends_of_a_connection() -> None:
    assert {SESSION_REPLACED, SESSION_REVOKED} <= messages_of("tell")


def test_the_document_names_the_events_of_contacts() -> None:
    told = {name for name in messages_of("tell") if name.startswith("friend.")}
    assert told == {*get_args(RequestEvent), FRIEND_REMOVED}


def test_every_message_of_the_document_is_used_and_none_is_missing() -> None:
    operations = DOCUMENT["operations"]
    act, tell = operations["act"], operations["tell"]
    assert keys(act["messages"]) | keys(act["reply"]["messages"]) | keys(tell["messages"]) == set(MESSAGES)
    assert set(DOCUMENT["channels"]["connection"]["messages"]) == set(MESSAGES)


@pytest.mark.parametrize(
    ("struct", "schema"),
    [
        (MessageView, "message"),
        (ReactionView, "reactionView"),
        (HelloAnswer, "helloAnswer"),
        (ToldLimits, "limits"),
        (Accepted, "accepted"),
        (States, "states"),
        (PresenceView, "presence"),
        (FriendRequestView, "friendRequest"),
    ],
)
def test_what_the_code_tells_has_the_documents_fields(struct: type[msgspec.Struct], schema: str) -> None:
    assert field_names(struct) == set(SCHEMAS[schema]["required"])
    assert field_names(struct) == set(SCHEMAS[schema].get("properties", SCHEMAS[schema]["required"]))


@pytest.mark.parametrize("name", ["message", "conversation", "user", "friendRequest"])
def test_what_both_doors_show_has_the_same_fields_in_both_documents(name: str) -> None:
    over_rest = document()["components"]["schemas"][name[0].upper() + name[1:]]
    assert set(SCHEMAS[name]["properties"]) == set(over_rest["properties"])
    assert set(SCHEMAS[name]["required"]) == set(over_rest["required"])


@pytest.mark.parametrize("command", get_args(Command))
def test_a_command_has_the_members_of_its_frame(command: type[msgspec.Struct]) -> None:
    action = str(command.__struct_config__.tag)
    (_, payload) = MESSAGES[action]["payload"]["allOf"]
    schema = SCHEMAS[payload["properties"]["data"]["$ref"].rsplit("/", 1)[-1]]
    assert field_names(command) - {"mention_all"} == set(schema["properties"])


def test_the_types_ids_and_limits_of_the_document_are_the_codes() -> None:
    assert set(SCHEMAS["outgoing"]["properties"]["type"]["enum"]) == set(MESSAGE_TYPES)
    assert set(SCHEMAS["message"]["properties"]["type"]["enum"]) == {*MESSAGE_TYPES, "system"}
    assert SCHEMAS["clientId"]["pattern"] == f"^{CLIENT_ID.pattern}$"
    assert SCHEMAS["seq"]["maximum"] == MAX_INT
    assert SCHEMAS["emoji"]["maxLength"] == MAX_CODE_POINTS
    assert SCHEMAS["watched"]["properties"]["user_ids"]["maxItems"] == MAX_ASKED
    assert SCHEMAS["outgoing"]["properties"]["mentions"]["maxItems"] == MAX_MENTIONS
    for limit in (MAX_TEXT_CHARACTERS, MAX_PIXELS):
        assert f"{limit:,}" in SCHEMAS["content"]["description"]


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_example_keeps_its_own_schema(name: str) -> None:
    schema = {**MESSAGES[name]["payload"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for example in MESSAGES[name]["examples"]:
        assert not list(validator.iter_errors(example["payload"]))
        assert list(validator.iter_errors({})), "a frame without anything is none of these"
