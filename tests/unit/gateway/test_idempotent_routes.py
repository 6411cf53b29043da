"""No mutating route can forget its idempotency key: routes, documents and im-logic's methods name the same ones."""

import re

from gateway.http.app import ROUTES
from logic.rpc.keyed_calls import KEYED_METHODS, SELF_ENDING_METHODS
from tests.fakes.openapi_document import operations, resolve

READING_ROUTES = {"/sync"}
"""What is asked by POST and changes nothing."""

KEY_PARAMETER = {"$ref": "#/components/parameters/IdempotencyKey"}


def keyed_routes() -> set[tuple[str, str]]:
    return {(route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)) for route in ROUTES if route.takes_key}


def test_every_mutating_route_outside_auth_takes_a_key() -> None:
    for route in ROUTES:
        mutates = route.method != "GET" and route.path not in READING_ROUTES
        assert route.takes_key is (mutates and not route.path.startswith("/auth/")), route.path


def test_every_route_that_takes_a_key_has_its_method_in_the_table_of_im_logic() -> None:
    rpcs = {
        operation["operationId"].lower() for method, path, operation in operations() if (method, path) in keyed_routes()
    }
    assert {method.rpartition("/")[2].lower() for method in KEYED_METHODS} == rpcs
    assert set(KEYED_METHODS) >= SELF_ENDING_METHODS


def test_the_document_tells_of_the_key_and_its_conflict_on_these_routes_alone() -> None:
    for method, path, operation in operations():
        takes_key = (method, path) in keyed_routes()
        assert (KEY_PARAMETER in operation.get("parameters", [])) is takes_key, f"{method} {path}"
        codes = resolve(operation["responses"].get("409", {})).get("x-codes", [])
        assert ("idempotency_conflict" in codes) is takes_key, f"{method} {path}"
        assert not takes_key or "400" in operation["responses"], f"{method} {path}"
