"""docs/api/asyncapi.yaml says the same as the code."""

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from gateway.websocket.actions import ACTIONS
from gateway.websocket.actions.hello import HelloAnswer
from gateway.websocket.ending import SESSION_REPLACED, SESSION_REVOKED
from gochat_contracts.message_content import MESSAGE_TYPES
from gochat_contracts.views import MessageView
from gochat_core.ids import CLIENT_ID

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "docs" / "api" / "asyncapi.yaml").read_text())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

PLATFORM_ACTIONS = {"ping"}
"""Answered by the API itself."""


def messages_of(operation: str) -> set[str]:
    return {message["$ref"].rsplit("/", 1)[-1] for message in DOCUMENT["operations"][operation]["messages"]}


def field_names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def test_the_document_names_the_actions_that_the_code_knows() -> None:
    assert messages_of("act") == set(ACTIONS) | PLATFORM_ACTIONS


def test_the_document_names_the_ends_of_a_connection() -> None:
    assert {SESSION_REPLACED, SESSION_REVOKED} <= messages_of("tell")


def test_every_message_of_the_document_is_used_and_none_is_missing() -> None:
    replies = {message["$ref"].rsplit("/", 1)[-1] for message in DOCUMENT["operations"]["act"]["reply"]["messages"]}
    assert messages_of("act") | messages_of("tell") | replies == set(MESSAGES)
    assert set(DOCUMENT["channels"]["connection"]["messages"]) == set(MESSAGES)


def test_a_message_and_the_answer_to_hello_have_the_documents_fields() -> None:
    assert field_names(MessageView) == set(SCHEMAS["message"]["required"]) == set(SCHEMAS["message"]["properties"])
    assert field_names(HelloAnswer) == set(SCHEMAS["helloAnswer"]["required"])


def test_the_types_and_ids_of_the_document_are_the_codes() -> None:
    assert set(SCHEMAS["outgoing"]["properties"]["type"]["enum"]) == set(MESSAGE_TYPES)
    assert set(SCHEMAS["message"]["properties"]["type"]["enum"]) == {*MESSAGE_TYPES, "system"}
    assert SCHEMAS["clientId"]["pattern"] == f"^{CLIENT_ID.pattern}$"


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_example_keeps_its_own_schema(name: str) -> None:
    schema = {**MESSAGES[name]["payload"], "components": DOCUMENT["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    for example in MESSAGES[name]["examples"]:
        assert not list(validator.iter_errors(example["payload"]))
        assert list(validator.iter_errors({})), "a frame without anything is none of these"
