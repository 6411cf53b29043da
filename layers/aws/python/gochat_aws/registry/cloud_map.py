"""Cloud Map as the registry uses it: a few typed operations, and the quotas that shape them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gochat_aws.json_api import HttpJsonApi, JsonApi, RefusedError
from gochat_aws.registry.instances import Instance, MalformedInstanceError, initial_health, read_instance
from gochat_core.errors import Unavailable

MAX_INSTANCES = 1_000
"""Instances of one service, and also what one DiscoverInstances may return.

Cloud Map developer guide, "AWS Cloud Map service quotas". The other quotas of that page that count here, for the whole
account in a region: DiscoverInstances 1,000 a second (bursts of 2,000), DiscoverInstancesRevision 3,000 a second.
"""

_LISTED = 100
"""Page of ListInstances and GetInstancesHealthStatus."""

_DATA = "data-"
"""DiscoverInstances and DiscoverInstancesRevision have a host of their own (the SDKs' model, `hostPrefix`)."""

_UNDER_WAY = ("DuplicateRequest", "ResourceInUse")

TIMEOUT_S = 1.0
"""Of one call: who discovers has a client waiting, and last known good in hand."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one discovery found."""

    instances: tuple[Instance, ...]
    malformed: tuple[str, ...] = ()
    """Why instances were left out."""
    revision: int | None = None
    """Moves with every registration and deregistration, and not with health."""


@dataclass(frozen=True, kw_only=True)
class CloudMap:
    """Cloud Map; each operation is one request, so each raises `Unavailable` or RefusedError as JsonApi does."""

    api: JsonApi
    namespace: str = ""
    service_ids: dict[str, str] = field(default_factory=dict)
    """Service names with their ids, for the operations that want an id; read with `find_service_ids`."""

    def discover(self, service: str) -> Found:
        """Find all instances of a service with their health, whatever it is. Safe to repeat."""
        answer = self.api.call(
            "DiscoverInstances",
            {
                "NamespaceName": self.namespace,
                "ServiceName": service,
                "HealthStatus": "ALL",
                "MaxResults": MAX_INSTANCES,
            },
            host_prefix=_DATA,
        )
        rows = [(one["InstanceId"], one.get("Attributes"), one.get("HealthStatus")) for one in answer["Instances"]]
        instances, malformed = _read(rows)
        return Found(instances=instances, malformed=malformed, revision=answer.get("InstancesRevision"))

    def revision(self, service: str) -> int | None:
        """Ask whether instances came or went; cheaper than `discover` and under a quota of its own. Safe to repeat."""
        names = {"NamespaceName": self.namespace, "ServiceName": service}
        revision = self.api.call("DiscoverInstancesRevision", names, host_prefix=_DATA).get("InstancesRevision")
        return revision if isinstance(revision, int) else None

    def list_instances(self, service: str) -> Found:
        """List the instances of a service as the control plane has them, not half a minute late. Safe to repeat."""
        service_id = self.service_ids[service]
        rows: list[dict[str, Any]] = []
        for page in self._pages("ListInstances", {"ServiceId": service_id}):
            rows += page["Instances"]
        health: dict[str, str] = {}
        if rows:
            for page in self._pages("GetInstancesHealthStatus", {"ServiceId": service_id}):
                health |= page["Status"]
        instances, malformed = _read([(one["Id"], one.get("Attributes"), health.get(one["Id"])) for one in rows])
        return Found(instances=instances, malformed=malformed)

    def register(self, service: str, instance: Instance) -> None:
        """Register an instance, or replace what is registered under its id; Cloud Map carries it out later.

        Safe to repeat. Raises ValueError when its attributes can't be kept, Unavailable also while an earlier
        registration of it is under way.
        """
        registration = {
            "ServiceId": self.service_ids[service],
            "InstanceId": instance.instance_id,
            # Another one each time: what came under a known id would count as done, also after a deregistration.
            "CreatorRequestId": uuid.uuid4().hex,
            "Attributes": instance.attributes() | initial_health(healthy=instance.healthy),
        }
        try:
            self.api.call("RegisterInstance", registration)
        except RefusedError as refusal:
            if refusal.code not in _UNDER_WAY:
                raise
            raise Unavailable("An earlier registration of the instance is still under way") from refusal

    def deregister(self, service: str, instance_id: str) -> bool:
        """Remove an instance and tell whether it was there; Cloud Map carries it out later. Safe to repeat."""
        names = {"ServiceId": self.service_ids[service], "InstanceId": instance_id}
        try:
            self.api.call("DeregisterInstance", names)
        except RefusedError as refusal:
            if refusal.code != "InstanceNotFound":
                raise
            return False
        return True

    def set_health(self, service: str, instance_id: str, *, healthy: bool) -> bool:
        """Write the health of an instance and tell whether it was there; seen by `discover` about 30 s later."""
        status = {
            "ServiceId": self.service_ids[service],
            "InstanceId": instance_id,
            "Status": "HEALTHY" if healthy else "UNHEALTHY",
        }
        try:
            self.api.call("UpdateInstanceCustomHealthStatus", status)
        except RefusedError as refusal:
            if refusal.code != "InstanceNotFound":
                raise
            return False
        return True

    def _pages(self, operation: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        pages: list[dict[str, Any]] = []
        token: str | None = None
        while not pages or token:
            more = {"NextToken": token} if token else {}
            pages.append(self.api.call(operation, {**parameters, "MaxResults": _LISTED, **more}))
            token = pages[-1].get("NextToken")
        return pages


def open_cloud_map(*, region: str, timeout_s: float = TIMEOUT_S, endpoint: str | None = None) -> JsonApi:
    """Return Cloud Map's API in a region."""
    return HttpJsonApi(
        service="servicediscovery",
        target="Route53AutoNaming_v20170314",
        region=region,
        timeout_s=timeout_s,
        endpoint=endpoint,
    )


def find_service_ids(api: JsonApi, namespace: str) -> dict[str, str]:
    """Look up the ids of a namespace's services; for whoever the stack has not told them."""
    by_name = [{"Name": "NAME", "Values": [namespace], "Condition": "EQ"}]
    namespaces = api.call("ListNamespaces", {"Filters": by_name})["Namespaces"]
    ids = [one["Id"] for one in namespaces if one["Name"] == namespace]
    if not ids:
        raise RefusedError("NamespaceNotFound", namespace)
    inside = [{"Name": "NAMESPACE_ID", "Values": ids, "Condition": "EQ"}]
    services = api.call("ListServices", {"Filters": inside})["Services"]
    return {one["Name"]: one["Id"] for one in services if one.get("NamespaceId", ids[0]) == ids[0]}


def _read(rows: Sequence[tuple[str, Any, Any]]) -> tuple[tuple[Instance, ...], tuple[str, ...]]:
    read, malformed = [], []
    for instance_id, attributes, health in rows:
        try:
            read.append(read_instance(instance_id, attributes or {}, healthy=health == "HEALTHY"))
        except MalformedInstanceError as fault:
            malformed.append(str(fault))
    return tuple(sorted(read, key=lambda one: one.instance_id)), tuple(malformed)
