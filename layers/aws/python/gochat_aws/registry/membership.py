"""Keeps a container in the registry for as long as it serves: in it once it serves, out of it before it ends."""

import threading
import time
from collections.abc import Callable, Mapping

import msgspec
from aws_lambda_powertools import Logger

from gochat_aws.json_api import RefusedError
from gochat_aws.registry.cloud_map import CloudMap, find_service_ids, open_cloud_map
from gochat_aws.registry.discover import REVISION_AFTER_S
from gochat_aws.registry.instances import Instance
from gochat_aws.registry.registration import Registry
from gochat_aws.registry.watch import Announcer, open_events
from gochat_aws.sigv4 import MissingCredentialsError
from gochat_core.clock import SystemClock
from gochat_core.errors import Unavailable
from gochat_core.settings import read_settings

HEARTBEAT_EVERY_S = 60.0
HEARD_AFTER_S = REVISION_AFTER_S + 1.0
"""How long a container that drains goes on to take calls: until callers have heard of it."""

_CALL_TIMEOUT_S = 3.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a container is told of the registry; without an endpoint it stays out of it."""

    registry_endpoint: str = ""
    """Where callers reach this container: `grpc://host:port`."""
    registry_namespace: str = ""
    registry_bus: str = ""
    registry_weight: int = 100


class Membership:
    """The membership of one container. Best effort: a container serves whom it can, with or without a registry."""

    def __init__(
        self,
        open_registry: Callable[[], Registry],
        service: str,
        instance: Instance,
        *,
        logger: Logger,
        pause: Callable[[float], None] = time.sleep,
        heartbeat_every_s: float = HEARTBEAT_EVERY_S,
    ) -> None:
        """Connect to nothing yet; `open_registry` may raise what the registry raises."""
        self._open_registry = open_registry
        self._service = service
        self._instance = instance
        self._logger = logger
        self._pause = pause
        self._heartbeat_every_s = heartbeat_every_s
        self._ending = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def join(self) -> None:
        """Register, and stay registered: whoever was removed while its network was away comes back."""
        self._try("register", lambda registry: registry.register(self._service, self._instance))
        self._heart.start()

    def drain(self) -> None:
        """Have callers choose others; returns when they have heard of it."""
        self._stop_beating()
        if self._try("drain", lambda registry: registry.drain(self._service, self._instance)):
            self._pause(HEARD_AFTER_S)

    def leave(self) -> None:
        """Deregister. Whoever can't is removed when its lease ends."""
        self._stop_beating()  # another beat would register it again
        self._try("deregister", lambda registry: registry.deregister(self._service, self._instance.instance_id))

    def _stop_beating(self) -> None:
        self._ending.set()
        if self._heart.is_alive():
            self._heart.join()

    def _beat(self) -> None:
        while not self._ending.wait(self._heartbeat_every_s):
            self._try("heartbeat", lambda registry: registry.heartbeat(self._service, self._instance))

    def _try(self, what: str, act: Callable[[Registry], object]) -> bool:
        try:
            act(self._open_registry())
        except (Unavailable, RefusedError, MissingCredentialsError, ValueError) as fault:
            self._logger.warning("registry", extra={"act": what, "service_name": self._service, "fault": str(fault)})
            return False
        self._logger.info("registry", extra={"act": what, "service_name": self._service})
        return True


def membership_from(environ: Mapping[str, str], service: str, *, logger: Logger) -> Membership | None:
    """Build the membership that a container's environment asks for; None when it asks for none."""
    settings = read_settings(Settings, environ)
    if not settings.registry_endpoint:
        return None
    region = environ["AWS_REGION"]
    api = open_cloud_map(region=region, timeout_s=_CALL_TIMEOUT_S)
    events = open_events(region=region, timeout_s=_CALL_TIMEOUT_S)

    def open_registry() -> Registry:
        ids = find_service_ids(api, settings.registry_namespace)
        return Registry(
            cloud_map=CloudMap(api=api, namespace=settings.registry_namespace, service_ids=ids),
            announcer=Announcer(api=events, bus=settings.registry_bus, clock=SystemClock(), logger=logger),
        )

    instance = Instance(
        instance_id=settings.registry_endpoint.removeprefix("grpc://"),
        endpoint=settings.registry_endpoint,
        region=region,
        weight=settings.registry_weight,
        origin="self",
    )
    return Membership(open_registry, service, instance, logger=logger)
