"""Registers instances, keeps them registered, and takes them out: draining first, so that no call is lost."""

from dataclasses import dataclass

import msgspec

from gochat_aws.registry.cloud_map import CloudMap
from gochat_aws.registry.instances import Instance
from gochat_aws.registry.watch import Announcer, Change, Kind


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The writing side of the registry; every change is announced. All of it raises `Unavailable` or RefusedError."""

    cloud_map: CloudMap
    announcer: Announcer

    def register(self, service: str, instance: Instance) -> None:
        """Register an instance with its initial health (`healthy`), or replace what stands under its id.

        Safe to repeat. Raises ValueError when its attributes can't be kept.
        """
        self.cloud_map.register(service, instance)
        self._announce(service, instance.instance_id, "registered")

    def heartbeat(self, service: str, instance: Instance) -> bool:
        """Make sure that an instance that registered itself still is; tell whether it had to register anew.

        The lease itself is renewed by answering the prober. Who did not, while its network was away, say, was removed
        and comes back by this. Call it about once a minute.
        """
        listed = self.cloud_map.list_instances(service).instances
        if any(one.instance_id == instance.instance_id for one in listed):
            return False
        self.register(service, instance)
        return True

    def set_health(self, service: str, instance_id: str, *, healthy: bool) -> None:
        """Write the health of an instance; call it only when it changed. Safe to repeat, also for one that is gone."""
        if self.cloud_map.set_health(service, instance_id, healthy=healthy):
            self._announce(service, instance_id, "healthy" if healthy else "unhealthy")

    def drain(self, service: str, instance: Instance) -> None:
        """Have callers choose others, while the instance goes on to serve who has not heard yet.

        Callers hear of it within `discover.REVISION_AFTER_S`. Deregister once nothing is under way. Safe to repeat.
        """
        self.cloud_map.register(service, msgspec.structs.replace(instance, draining=True))
        self._announce(service, instance.instance_id, "draining")

    def deregister(self, service: str, instance_id: str) -> None:
        """Remove an instance. Safe to repeat."""
        if self.cloud_map.deregister(service, instance_id):
            self._announce(service, instance_id, "deregistered")

    def _announce(self, service: str, instance_id: str, kind: Kind) -> None:
        self.announcer.announce(Change(service=service, instance_id=instance_id, change=kind))
