"""Read MiniStack's tables of HTTP and WebSocket APIs, and invoke the functions that they name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ministack import app as ministack_app
from ministack.core.responses import _request_account_id, _request_region
from ministack.services import apigateway, lambda_svc
from ministack.services.cloudformation import provisioners

from local_stage.aws.pinned import replace, require

Record = dict[str, Any]

require(ministack_app, "_parse_execute_api_url")
require(
    apigateway,
    "_apis", "_routes", "_stages", "_integrations", "_authorizers", "_route_responses", "_integration_responses",
    "_api_owner", "_extract_lambda_ref_from_integration_uri", "_HOST", "_create_integration", "_update_integration",
)  # fmt: skip
require(
    lambda_svc,
    "_get_func_record_for_ref_in_scope",
    "_execution_record_for_config",
    "_execute_function_with_config_scope",
)

# Invocations wait in threads of their own, so that a burst of frames leaves the emulator's other work alone.
_THREADS = ThreadPoolExecutor(max_workers=512, thread_name_prefix="integration")
_LATER_INTEGRATION_FIELDS = ("templateSelectionExpression", "passthroughBehavior")


@dataclass(frozen=True, kw_only=True)
class Api:
    """One deployed API and the account and region it lives in."""

    api_id: str
    account: str
    region: str
    protocol: str

    @property
    def domain_name(self) -> str:
        """The API's host name, as events and `ApiEndpoint` give it."""
        return f"{self.api_id}.execute-api.{apigateway._HOST}"

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Make MiniStack's tables show this API's account and region."""
        account, region = _request_account_id.set(self.account), _request_region.set(self.region)
        try:
            yield
        finally:
            _request_region.reset(region)
            _request_account_id.reset(account)

    def record(self) -> Record:
        """The API itself."""
        with self.scope():
            found: Record = apigateway._apis.get(self.api_id) or {}
            return found

    def stage(self, name: str) -> Record | None:
        """A stage by its name."""
        with self.scope():
            found: Record | None = (apigateway._stages.get(self.api_id) or {}).get(name)
            return found

    def route(self, key: str) -> Record | None:
        """The route with exactly this key."""
        with self.scope():
            routes = list((apigateway._routes.get(self.api_id) or {}).values())
        return next((route for route in routes if route.get("routeKey") == key), None)

    def integration(self, route: Record) -> Record | None:
        """The integration that a route targets."""
        identifier = str(route.get("target", "")).rpartition("/")[2]
        with self.scope():
            found: Record | None = (apigateway._integrations.get(self.api_id) or {}).get(identifier)
            return found

    def integration_responses(self, integration: Record) -> list[Record]:
        """The integration's responses, for MOCK integrations."""
        with self.scope():
            table = (apigateway._integration_responses.get(self.api_id) or {}).get(integration["integrationId"])
        return list((table or {}).values())

    def answers(self, route: Record) -> bool:
        """Whether a WebSocket route is two-way: it has a route response, and selects it.

        Source: API Gateway, "Set up route responses for WebSocket APIs".
        """
        with self.scope():
            responses = (apigateway._route_responses.get(self.api_id) or {}).get(route["routeId"])
        return bool(responses) and bool(route.get("routeResponseSelectionExpression"))

    def authorizer(self, route: Record) -> Record | None:
        """The authorizer of a route."""
        with self.scope():
            found: Record | None = (apigateway._authorizers.get(self.api_id) or {}).get(route.get("authorizerId") or "")
            return found

    async def invoke(self, uri: str, event: Record) -> Record | None:
        """Invoke the function behind an integration or authorizer URI; None if there is no such function.

        The answer is MiniStack's: `body`, and `error` or `throttle` when the function did not answer it.
        """
        with self.scope():
            reference = apigateway._extract_lambda_ref_from_integration_uri(uri)
            function, config, _ = lambda_svc._get_func_record_for_ref_in_scope(
                reference, account_id=self.account, region=self.region
            )
        if function is None or config is None:
            return None
        record = lambda_svc._execution_record_for_config(function, config)
        answer: Record = await asyncio.get_running_loop().run_in_executor(
            _THREADS, lambda_svc._execute_function_with_config_scope, record, event
        )
        return answer


def find(api_id: str) -> Api | None:
    """Find an API in any account and region."""
    owner = apigateway._api_owner(api_id)
    if owner is None:
        return None
    protocol, account, region = owner
    return Api(api_id=api_id, account=account, region=region, protocol=protocol)


def address(host: str, path: str) -> tuple[str, str, str] | None:
    """Split an execute-api address into API id, first path segment and the rest; None if it is another one's.

    Known forms: `/_aws/execute-api/{api}/{stage}/…` on any host, and `{api}.execute-api.localhost/{stage}/…`.
    """
    parts: tuple[str, str, str] | None = ministack_app._parse_execute_api_url(host, path)
    return parts


def install() -> None:
    """Keep the fields of integrations that MiniStack drops, in both doors."""
    properties = provisioners._apigw_v2_integration_props

    def integration_properties(given: Record) -> Record:
        kept = {name: given.get(name[0].upper() + name[1:]) for name in _LATER_INTEGRATION_FIELDS}
        return {**properties(given), **kept}

    replace(provisioners, "_apigw_v2_integration_props", integration_properties)
    for operation in ("_create_integration", "_update_integration"):
        _keep_fields(operation)


def _keep_fields(operation: str) -> None:
    original = getattr(apigateway, operation)

    def call(api_id: str, *arguments: Any) -> Any:
        data = arguments[-1]
        before = set(apigateway._integrations.get(api_id) or {})
        response = original(api_id, *arguments)
        if response[0] < 400:
            table = apigateway._integrations[api_id]
            identifier = arguments[0] if len(arguments) > 1 else next(iter(set(table) - before))
            for name in _LATER_INTEGRATION_FIELDS:
                if name in data:
                    table[identifier][name] = data[name]
        return response

    replace(apigateway, operation, call)
