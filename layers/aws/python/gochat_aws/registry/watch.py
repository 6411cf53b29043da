"""Tells and hears what changes in the registry: an EventBridge event for each change, revisions as the backstop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from aws_lambda_powertools import Logger

from gochat_aws.json_api import HttpJsonApi, JsonApi, RefusedError
from gochat_aws.registry.instances import Instance
from gochat_core.clock import Clock, rfc3339
from gochat_core.errors import Unavailable

SOURCE = "gochat.registry"
DETAIL_TYPE = "Instance changed"

Kind = Literal["registered", "deregistered", "healthy", "unhealthy", "draining"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one instance; the detail of the event, beside `changed_at`."""

    service: str
    instance_id: str
    change: Kind


@dataclass(frozen=True, kw_only=True)
class Announcer:
    """Puts events on a bus."""

    api: JsonApi
    bus: str
    clock: Clock
    logger: Logger

    def announce(self, change: Change) -> bool:
        """Tell of a change, best effort, and return whether EventBridge took it: who polls revisions sees it anyway."""
        detail = {**msgspec.to_builtins(change), "changed_at": rfc3339(self.clock.now_ms())}
        entry = {
            "EventBusName": self.bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": msgspec.json.encode(detail).decode(),
        }
        cause: Any
        try:
            answer = self.api.call("PutEvents", {"Entries": [entry]})
        except (Unavailable, RefusedError) as fault:
            cause = repr(fault.__cause__ or fault)
        else:
            if not answer.get("FailedEntryCount"):
                return True
            cause = answer.get("Entries")
        self.logger.warning("change not announced", extra={**detail, "cause": cause})
        return False


class Watch:
    """Tells what changed in a service since the last look, for processes that live long enough to look again."""

    def __init__(self, service: str, instances: Callable[[str], tuple[Instance, ...]]) -> None:
        self._service = service
        self._instances = instances
        self._known: dict[str, Instance] | None = None

    def poll(self) -> list[Change]:
        """Return the changes since the last call, none at the first; as late as the discovery behind it may be."""
        now = {one.instance_id: one for one in self._instances(self._service)}
        before, self._known = self._known, now
        if before is None:
            return []
        changes = [self._change(gone, "deregistered") for gone in before.keys() - now.keys()]
        for instance_id, one in now.items():
            was = before.get(instance_id)
            if was is None:
                changes.append(self._change(instance_id, "registered"))
            elif one.draining and not was.draining:
                changes.append(self._change(instance_id, "draining"))
            elif one.healthy != was.healthy:
                changes.append(self._change(instance_id, "healthy" if one.healthy else "unhealthy"))
        return changes

    def _change(self, instance_id: str, kind: Kind) -> Change:
        return Change(service=self._service, instance_id=instance_id, change=kind)


def open_events(*, region: str, timeout_s: float, endpoint: str | None = None) -> JsonApi:
    """Return EventBridge's API in a region."""
    return HttpJsonApi(service="events", target="AWSEvents", region=region, timeout_s=timeout_s, endpoint=endpoint)
