"""The network of the managed stores: private subnets without a way out, a security group for each role in it."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_app.parts.function import Placement
from cdk_app.settings import Managed, Stage

KAFKA_IAM_PORT = 9098
MYSQL_PORT = 3306
CACHE_PORTS = (6379, 6380)
"""ElastiCache Serverless: the primaries' port and the replicas' (ElastiCache user guide, "Choosing a deployment")."""


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Who may speak to whom: functions to the three stores, event pollers (in the broker's group) to the broker."""

    functions: ec2.SecurityGroup
    broker: ec2.SecurityGroup
    database: ec2.SecurityGroup
    cache: ec2.SecurityGroup
    endpoints: ec2.SecurityGroup


class NetworkStack(Stack):
    """VPC, subnets, endpoints and security groups. No NAT gateway: nothing in here calls the internet."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, settings: Managed, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        self._settings = settings
        self.vpc = self._declare_vpc(stage)
        self.groups = self._declare_groups()
        self._allow_flows()
        self._declare_endpoints(stage)

    @property
    def placement(self) -> Placement:
        """Where the functions go that speak to the stores."""
        return Placement(vpc=self.vpc, security_group=self.groups.functions)

    def _declare_vpc(self, stage: Stage) -> ec2.Vpc:
        """Declare the VPC with one private subnet in each zone, named by its id: names differ between accounts."""
        zones = self._settings.zone_ids
        vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=stage.prefix,
            ip_addresses=ec2.IpAddresses.cidr("10.20.0.0/16"),
            # Only placeholders: two lines below each subnet gets its zone by id.
            availability_zones=[Fn.select(number, Fn.get_azs()) for number in range(len(zones))],
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Private", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=20)
            ],
        )
        for subnet, zone_id in zip(vpc.isolated_subnets, zones, strict=True):
            cfn = subnet.node.default_child
            assert isinstance(cfn, ec2.CfnSubnet)
            cfn.add_property_deletion_override("AvailabilityZone")
            cfn.add_property_override("AvailabilityZoneId", zone_id)
        return vpc

    def _declare_groups(self) -> Groups:
        def group(name: str, description: str) -> ec2.SecurityGroup:
            return ec2.SecurityGroup(
                self, f"{name}Group", vpc=self.vpc, description=description, allow_all_outbound=False
            )

        return Groups(
            functions=group("Functions", "GoChat functions that speak to the stores"),
            broker=group("Broker", "Kafka brokers and the event pollers that read them"),
            database=group("Database", "Aurora MySQL"),
            cache=group("Cache", "ElastiCache"),
            endpoints=group("Endpoints", "Interface endpoints of AWS services"),
        )

    def _allow_flows(self) -> None:
        """Allow the flows there are; each rule names its peer, none an address range."""
        groups = self.groups
        functions = groups.functions.connections
        functions.allow_to(groups.broker, ec2.Port.tcp(KAFKA_IAM_PORT), "Produce")
        functions.allow_to(groups.database, ec2.Port.tcp(MYSQL_PORT), "SQL")
        functions.allow_to(groups.cache, ec2.Port.tcp_range(*CACHE_PORTS), "Cache")
        functions.allow_to(groups.endpoints, ec2.Port.HTTPS, "AWS services")
        # Lambda's event pollers wear the cluster's own security group: it must let itself in, and out to Lambda.
        groups.broker.connections.allow_internally(ec2.Port.tcp(KAFKA_IAM_PORT), "Event pollers")
        groups.broker.connections.allow_to(groups.endpoints, ec2.Port.HTTPS, "Event pollers to Lambda and STS")

    def _declare_endpoints(self, stage: Stage) -> None:
        """Declare the endpoints: Secrets Manager for the signing keys; Lambda and STS for on-demand event pollers.

        Without the last two an on-demand mapping on private subnets never invokes anything, and says so nowhere but in
        its state; provisioned pollers need neither.
        """
        services = {"SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER}
        if stage.mappings.on_demand:
            services["Lambda"] = ec2.InterfaceVpcEndpointAwsService.LAMBDA_
            services["Sts"] = ec2.InterfaceVpcEndpointAwsService.STS
        for name, service in services.items():
            ec2.InterfaceVpcEndpoint(
                self,
                f"{name}Endpoint",
                vpc=self.vpc,
                service=service,
                subnets=ec2.SubnetSelection(subnets=self.vpc.isolated_subnets[: self._settings.endpoint_zones]),
                security_groups=[self.groups.endpoints],
                # CDK would let the whole VPC in; the rules above name who needs it.
                open=False,
                private_dns_enabled=True,
            )
