"""The registry as the other stacks see it: who is registered in it, who may read it, who may change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_servicediscovery as cloud_map

from cdk_app.stores import allow

GATEWAY, LOGIC, REPO, GATEWAY_LOAD = "im-gateway", "im-logic", "im-repo", "im-gateway-load"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service of the namespace."""

    service_id: str
    arn: str


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The namespace of a stage and the bus on which its changes are told."""

    namespace: str
    services: Mapping[str, Service]
    bus_name: str
    bus_arn: str

    def register(
        self, stack: Stack, title: str, *, service: str, instance_id: str, attributes: Mapping[str, str]
    ) -> None:
        """Register an instance of the stack, which begins as healthy and never is removed by its lease.

        What stands there can't be taken over: an instance of this id that registered itself fails the deployment.
        """
        cloud_map.CfnInstance(
            stack,
            f"{title}Instance",
            service_id=self.services[service].service_id,
            instance_id=instance_id,
            instance_attributes={"origin": "stack", "region": stack.region, **attributes},
        )

    def environment(self) -> dict[str, str]:
        """Give the variables of a function that discovers."""
        return {"GOCHAT_REGISTRY_NAMESPACE": self.namespace}

    def prober_environment(self) -> dict[str, str]:
        """Give the variables of the function that keeps the leases."""
        ids = ",".join(f"{name}={service.service_id}" for name, service in self.services.items())
        return {
            **self.environment(),
            "GOCHAT_REGISTRY_SERVICES": ids,
            "GOCHAT_REGISTRY_BUS": self.bus_name,
        }

    def may_discover(self) -> list[iam.PolicyStatement]:
        """Allow to discover: those actions know no resources, so a condition names the namespace.

        Service authorization reference, "Actions, resources, and condition keys for AWS Cloud Map".
        """
        statement = allow(["DiscoverInstances", "DiscoverInstancesRevision"], ["*"], "servicediscovery")
        statement.add_condition("StringEquals", {"servicediscovery:NamespaceName": self.namespace})
        return [statement]

    def may_keep_leases(self) -> list[iam.PolicyStatement]:
        """Allow to list instances, to write their health and to remove them, and to tell of it on the bus."""
        lists = ["ListInstances", "GetInstancesHealthStatus"]
        writes = ["UpdateInstanceCustomHealthStatus", "DeregisterInstance"]
        return [
            self._on([*lists, *writes], list(self.services)),
            self._on(["RegisterInstance"], [GATEWAY_LOAD]),
            allow(["PutEvents"], [self.bus_arn], "events"),
        ]

    def _on(self, actions: Sequence[str], services: Sequence[str]) -> iam.PolicyStatement:
        statement = allow(actions, ["*"], "servicediscovery")
        arns = [self.services[name].arn for name in services]
        statement.add_condition("StringEquals", {"servicediscovery:ServiceArn": arns})
        return statement
