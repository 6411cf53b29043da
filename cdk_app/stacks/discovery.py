"""Discovery: the namespace and the services of the registry, and the bus on which its changes are told."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_servicediscovery as cloud_map
from constructs import Construct

from cdk_app.parts.registry import GATEWAY, GATEWAY_LOAD, LOGIC, REPO, Registry, Service
from cdk_app.settings import Stage

_SERVICES = {
    GATEWAY: "Cells: where clients connect",
    GATEWAY_LOAD: "How many connections each cell holds",
    LOGIC: "Who answers the calls of im-logic",
    REPO: "Who answers the calls of im-repo",
}


class DiscoveryStack(Stack):
    """Cloud Map's part of a stage; the instances are registered by the stacks that own them."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        namespace = cloud_map.CfnHttpNamespace(self, "Namespace", name=stage.prefix, description="GoChat's registry")
        bus = events.CfnEventBus(self, "Bus", name=f"{stage.prefix}-registry")
        services: dict[str, Service] = {}
        for name, description in _SERVICES.items():
            service = cloud_map.CfnService(
                self,
                "".join(part.capitalize() for part in name.split("-")),
                name=name,
                description=description,
                namespace_id=namespace.attr_id,
                type="HTTP",
                # The prober tells who is healthy. The property counts for nothing since 2020, and without any there is
                # no custom health (Cloud Map API reference, "HealthCheckCustomConfig").
                health_check_custom_config=cloud_map.CfnService.HealthCheckCustomConfigProperty(failure_threshold=1),
            )
            services[name] = Service(service_id=service.attr_id, arn=service.attr_arn)
        self.registry = Registry(
            namespace=stage.prefix, services=services, bus_name=f"{stage.prefix}-registry", bus_arn=bus.attr_arn
        )
        CfnOutput(self, "RegistryNamespace", value=stage.prefix)
        CfnOutput(self, "RegistryBus", value=bus.name)
