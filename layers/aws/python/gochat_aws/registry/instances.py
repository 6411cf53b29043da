"""What the registry holds of one instance: where it is called, how much of the traffic it takes, whose it is."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Origin = Literal["stack", "self"]
"""Who registered it: an instance of the stack is never removed by its lease, one that registered itself is."""

GATEWAY, LOGIC, REPO = "im-gateway", "im-logic", "im-repo"
GATEWAY_LOAD = "im-gateway-load"
"""How many connections each cell holds, under the cell's id: apart, since the stack alone writes the cells' entries."""

DEFAULT_WEIGHT = 100
MAX_WEIGHT = 1_000
MAX_ATTRIBUTES = 30
"""Custom attributes of one instance (Cloud Map developer guide, "AWS Cloud Map service quotas")."""

MAX_VALUE_LENGTH = 1_024
"""Characters of one attribute's value (Cloud Map API reference, "RegisterInstance")."""

_INITIAL_HEALTH = "AWS_INIT_HEALTH_STATUS"


class MalformedInstanceError(Exception):
    """The attributes of an instance can't be understood: nothing may be sent there."""


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a service."""

    instance_id: str
    function: str = ""
    """ARN or name of the function that is invoked: the service itself, or for a cell what answers for its health."""
    endpoint: str = ""
    """`grpc://host:port` of a container, `wss://…` of a cell."""
    region: str = ""
    version: str = ""
    weight: int = DEFAULT_WEIGHT
    """Its share of the traffic beside the others' weights; 0: none as long as another one serves."""
    origin: Origin = "stack"
    draining: bool = False
    connections: int = 0
    """Of a cell's entry in `im-gateway-load`."""
    healthy: bool = True

    @property
    def target(self) -> str:
        """What a caller opens: the endpoint of a container, else the function."""
        return self.endpoint if self.endpoint.startswith("grpc://") else self.function

    def attributes(self) -> dict[str, str]:
        """Write the attributes that Cloud Map keeps, health apart. Raises ValueError when they can't be kept."""
        written = {
            "function": self.function,
            "endpoint": self.endpoint,
            "region": self.region,
            "version": self.version,
            "weight": str(self.weight),
            "origin": self.origin,
            "draining": str(self.draining).lower(),
            "connections": str(self.connections),
        }
        kept = {name: value for name, value in written.items() if value}
        long = [name for name, value in kept.items() if len(value) > MAX_VALUE_LENGTH]
        if long or not 0 <= self.weight <= MAX_WEIGHT:
            raise ValueError(f"{self.instance_id}: weight 0 to {MAX_WEIGHT}, values of {MAX_VALUE_LENGTH} characters")
        return kept


class _Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes as they are read; others are left to whoever wrote them."""

    function: str = ""
    endpoint: str = ""
    region: str = ""
    version: str = ""
    weight: int = DEFAULT_WEIGHT
    origin: Origin
    draining: bool = False
    connections: int = 0


def read_instance(instance_id: str, attributes: Mapping[str, str], *, healthy: bool) -> Instance:
    """Read one instance. Raises MalformedInstanceError."""
    try:
        read = msgspec.convert(attributes, _Attributes, strict=False)
    except msgspec.ValidationError as fault:
        raise MalformedInstanceError(f"{instance_id}: {fault}") from fault
    if not 0 <= read.weight <= MAX_WEIGHT or read.connections < 0:
        raise MalformedInstanceError(f"{instance_id}: a weight of {read.weight} or {read.connections} connections")
    if "://" in read.endpoint and not read.endpoint.startswith(("grpc://", "wss://", "ws://")):
        raise MalformedInstanceError(f"{instance_id}: nobody can call {read.endpoint}")
    return Instance(instance_id=instance_id, healthy=healthy, **msgspec.structs.asdict(read))


def initial_health(*, healthy: bool) -> dict[str, str]:
    """Return the attribute with which an instance begins as healthy or not (Cloud Map API, "RegisterInstance")."""
    return {_INITIAL_HEALTH: "HEALTHY" if healthy else "UNHEALTHY"}
