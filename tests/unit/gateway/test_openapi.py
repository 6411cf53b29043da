import re

from jsonschema import Draft202012Validator

from gateway.http.app import ROUTES
from gateway.http.request import MAX_BODY_BYTES
from gateway.http.routes.messages import MAX_MESSAGE_BYTES
from gochat_core.errors import every_error
from tests.fakes.openapi_document import document, operations, resolve, validator

STATUS_OF_CODE = {error.code: error.status for error in every_error()}


def test_every_route_is_documented_and_nothing_else() -> None:
    documented = {(method, path) for method, path, _ in operations()}
    assert documented == {(route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)) for route in ROUTES}


def test_the_open_routes_and_no_others_are_documented_as_open() -> None:
    documented = {(method, path) for method, path, operation in operations() if operation.get("security") == []}
    assert documented == {(route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)) for route in ROUTES if route.is_open}


def test_an_operation_has_the_name_of_its_rpc() -> None:
    named = {
        (route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)): route.answer.__name__.replace("_", "")
        for route in ROUTES
    }
    other_names = {"login": "authenticate", "refresh": "refreshsession"}
    for method, path, operation in operations():
        name = named[method, path]
        assert operation["operationId"].lower() == other_names.get(name, name)


def test_the_documents_codes_are_those_of_the_code_base() -> None:
    assert document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == list(STATUS_OF_CODE)


def test_every_code_stands_under_its_own_status() -> None:
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            for code in resolve(response).get("x-codes", []):
                assert STATUS_OF_CODE[code] == int(status), f"{method} {path}: {code}"


def test_every_operation_that_needs_a_token_says_what_happens_without() -> None:
    for method, path, operation in operations():
        if operation.get("security") != []:
            assert "unauthenticated" in resolve(operation["responses"]["401"])["x-codes"], f"{method} {path}"


def test_every_operation_with_a_body_says_that_it_may_be_malformed_or_too_large() -> None:
    for method, path, operation in operations():
        if "requestBody" in operation:
            assert {"400", "413"} <= set(operation["responses"]), f"{method} {path}"
    described = document()["components"]["responses"]["PayloadTooLarge"]["description"]
    assert f"{MAX_BODY_BYTES // 1024} KiB" in described
    assert f"{MAX_MESSAGE_BYTES // 1024} KiB" in described


def test_every_schema_is_a_schema_and_every_reference_leads_somewhere() -> None:
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
        for error in validator(schema).iter_errors(object()):
            assert error.message


def test_every_example_is_what_its_schema_describes() -> None:
    examples = [
        (content["schema"], example["value"])
        for _, _, operation in operations()
        for part in (operation.get("requestBody", {}), *map(resolve, operation["responses"].values()))
        for content in part.get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]
    assert examples
    for schema, value in examples:
        validator(schema).validate(value)
