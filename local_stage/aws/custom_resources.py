"""Fail a custom resource when its function fails, instead of when its time is up."""

from __future__ import annotations

from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

from local_stage.aws.pinned import replace, require

require(custom_resource, "deliver_response", "_HOST")


def install() -> None:
    """Answer CloudFormation in the place of a function that raised, exited or timed out.

    AWS lets the deployment wait for the resource's ServiceTimeout (an hour, by default): a deviation on purpose, since
    the outcome is the same and a developer is waiting.
    """
    # The listener has no IPv6 address, which `localhost` may mean first.
    custom_resource._HOST = "127.0.0.1"
    original = lambda_svc._execute_function_with_config_scope

    def execute(function: dict[str, Any], event: Any) -> dict[str, Any]:
        result: dict[str, Any] = original(function, event)
        if result.get("error") and isinstance(event, dict) and {"ResponseURL", "LogicalResourceId"} <= event.keys():
            error = result.get("body") or {}
            reason = f"{error.get('errorType')}: {error.get('errorMessage')}"
            identity = event.get("PhysicalResourceId") or event["LogicalResourceId"]
            token = event["ResponseURL"].rpartition("/")[2]
            custom_resource.deliver_response(
                token, {"Status": "FAILED", "Reason": reason, "PhysicalResourceId": identity, "Data": {}}
            )
        return result

    replace(lambda_svc, "_execute_function_with_config_scope", execute)
