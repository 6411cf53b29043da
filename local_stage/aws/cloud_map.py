"""Complete MiniStack's Cloud Map: initial health, filters by health, pages and revisions as AWS has them."""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import servicediscovery

from local_stage.aws.pinned import replace, require

Parameters = dict[str, Any]

MAX_ATTRIBUTES = 30
"""Custom attributes of an instance (Cloud Map developer guide, "AWS Cloud Map service quotas")."""

INITIAL_HEALTH = "AWS_INIT_HEALTH_STATUS"

require(
    servicediscovery,
    "_register_instance", "_discover_instances", "_update_instance_custom_health_status", "_list_instances",
    "_discover_instances_revision", "_instances_revision", "_instance_health_status",
)  # fmt: skip


def install() -> None:
    """Wrap the operations; what they did before they still do."""
    _wrap_register()
    _wrap_discover()
    _wrap_update_health()
    _wrap_list()


def _wrap_register() -> None:
    original = servicediscovery._register_instance

    def register(data: Parameters) -> Any:
        attributes = data.get("Attributes") or {}
        custom = [name for name in attributes if not name.startswith("AWS_")]
        if len(custom) > MAX_ATTRIBUTES:
            return error_response_json("InvalidInput", f"At most {MAX_ATTRIBUTES} custom attributes", 400)
        initial = attributes.get(INITIAL_HEALTH, "HEALTHY")
        if initial not in ("HEALTHY", "UNHEALTHY"):
            return error_response_json("InvalidInput", f"{INITIAL_HEALTH} is {initial}", 400)
        answer = original(data)
        if answer[0] == 200:
            servicediscovery._instance_health_status[data["ServiceId"]][data["InstanceId"]] = initial
        return answer

    replace(servicediscovery, "_register_instance", register)


def _wrap_discover() -> None:
    original = servicediscovery._discover_instances

    def discover(data: Parameters) -> Any:
        """DiscoverInstances: of HEALTHY by default, and of all when HEALTHY_OR_ELSE_ALL finds none healthy."""
        wanted = data.get("HealthStatus") or "HEALTHY"
        answer = original({**data, "HealthStatus": "ALL"})
        if answer[0] != 200:
            return answer
        every = json.loads(answer[2])["Instances"]
        kept = [one for one in every if wanted == "ALL" or one["HealthStatus"] == wanted.removesuffix("_OR_ELSE_ALL")]
        if wanted == "HEALTHY_OR_ELSE_ALL":
            kept = kept or every
        for name, value in (data.get("QueryParameters") or {}).items():
            kept = [one for one in kept if one["Attributes"].get(name) == value]
        page = kept[: int(data.get("MaxResults") or 100)]
        return json_response({"Instances": page, "InstancesRevision": _revision(data)})

    replace(servicediscovery, "_discover_instances", discover)


def _wrap_update_health() -> None:
    original = servicediscovery._update_instance_custom_health_status

    def update(data: Parameters) -> Any:
        """UpdateInstanceCustomHealthStatus: the revision tells of registrations, never of health."""
        service_id = str(data.get("ServiceId"))
        before = servicediscovery._instances_revision.get(service_id)
        answer = original(data)
        if before is not None:
            servicediscovery._instances_revision[service_id] = before
        return answer

    replace(servicediscovery, "_update_instance_custom_health_status", update)


def _wrap_list() -> None:
    original = servicediscovery._list_instances

    def list_instances(data: Parameters) -> Any:
        """ListInstances, a page at a time."""
        answer = original(data)
        if answer[0] != 200:
            return answer
        every = json.loads(answer[2])["Instances"]
        token = str(data.get("NextToken") or "0")
        first = int(token) if token.isdigit() else 0
        after = first + int(data.get("MaxResults") or 100)
        more = {"NextToken": str(after)} if after < len(every) else {}
        return json_response({"Instances": every[first:after], **more})

    replace(servicediscovery, "_list_instances", list_instances)


def _revision(data: Parameters) -> int:
    answer = servicediscovery._discover_instances_revision(data)
    revision: int = json.loads(answer[2])["InstancesRevision"]
    return revision
