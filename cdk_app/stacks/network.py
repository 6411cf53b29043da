"""The network of the managed stores: private subnets, a way to AWS and no way in, a security group for each role."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.function import Placement
from cdk_app.settings import Stage
from cdk_app.store_settings import Egress, Managed
from cdk_app.stores import MYSQL_PORT

KAFKA_IAM_PORT = 9098
CACHE_PORTS = (6379, 6380)
"""ElastiCache Serverless: the primaries' port and the replicas' (ElastiCache user guide, "Choosing a deployment")."""

_PRIVATE = "Private"


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Who may speak to whom: functions to the three stores, event pollers (in the broker's group) to the broker.

    A database proxy stands between functions and database; only migrations go past it.
    """

    functions: ec2.SecurityGroup
    broker: ec2.SecurityGroup
    database: ec2.SecurityGroup
    cache: ec2.SecurityGroup
    endpoints: ec2.SecurityGroup
    proxy: ec2.SecurityGroup | None


class NetworkStack(Stack):
    """VPC, subnets, endpoints and security groups.

    Without NAT gateways unless the stage asks for them: nothing in here calls anything but AWS's own services.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, settings: Managed, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        self._settings = settings
        self.vpc = self._declare_vpc(stage)
        self.subnets = self.vpc.select_subnets(subnet_group_name=_PRIVATE).subnets
        self.groups = self._declare_groups()
        self._allow_flows()
        self._declare_endpoints(stage)

    @property
    def placement(self) -> Placement:
        """Where the functions go that speak to the stores."""
        return Placement(
            vpc=self.vpc,
            subnets=ec2.SubnetSelection(subnets=self.subnets),
            security_group=self.groups.functions,
            ipv6=self._settings.egress == "ipv6",
        )

    def _declare_vpc(self, stage: Stage) -> ec2.Vpc:
        """Declare the VPC with one private subnet in each zone, named by its id: names differ between accounts.

        The public subnets of a stage with NAT hold the gateways and nothing else. IPv6 leaves by an egress-only
        gateway, which lets nobody in.
        """
        zones, egress = self._settings.zone_ids, self._settings.egress
        dual = ec2.IpProtocol.DUAL_STACK if egress == "ipv6" else ec2.IpProtocol.IPV4_ONLY
        vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=stage.prefix,
            ip_addresses=ec2.IpAddresses.cidr("10.20.0.0/16"),
            ip_protocol=dual,
            # Only placeholders: below, each subnet gets its zone by id.
            availability_zones=[Fn.select(number, Fn.get_azs()) for number in range(len(zones))],
            nat_gateways=self._settings.endpoint_zones if egress == "nat" else 0,
            restrict_default_security_group=False,
            subnet_configuration=_subnets(egress),
        )
        for group in (vpc.public_subnets, vpc.private_subnets, vpc.isolated_subnets):
            for subnet, zone_id in zip(group, zones, strict=False):
                cfn = subnet.node.default_child
                assert isinstance(cfn, ec2.CfnSubnet)
                cfn.add_property_deletion_override("AvailabilityZone")
                cfn.add_property_override("AvailabilityZoneId", zone_id)
        acknowledge(
            vpc,
            "AwsSolutions-VPC7",
            "The network has no way in, and its groups name their peers; flow logs are billed by the gigabyte.",
        )
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
            proxy=group("Proxy", "RDS Proxy") if self._settings.database.proxy else None,
        )

    def _allow_flows(self) -> None:
        """Allow the flows there are; each rule names its peer, but HTTPS to the internet where that is the way out."""
        groups = self.groups
        functions = groups.functions.connections
        functions.allow_to(groups.broker, ec2.Port.tcp(KAFKA_IAM_PORT), "Produce")
        functions.allow_to(groups.database, ec2.Port.tcp(MYSQL_PORT), "SQL")
        if groups.proxy:
            functions.allow_to(groups.proxy, ec2.Port.tcp(MYSQL_PORT), "SQL through the proxy")
            groups.proxy.connections.allow_to(groups.database, ec2.Port.tcp(MYSQL_PORT), "SQL of the functions")
        functions.allow_to(groups.cache, ec2.Port.tcp_range(*CACHE_PORTS), "Cache")
        # Lambda's event pollers wear the cluster's own security group: it must let itself in, and out to Lambda.
        groups.broker.connections.allow_internally(ec2.Port.tcp(KAFKA_IAM_PORT), "Event pollers")
        for group, reason in ((groups.functions, "AWS services"), (groups.broker, "Event pollers to Lambda and STS")):
            group.connections.allow_to(groups.endpoints, ec2.Port.HTTPS, reason)
            if self._settings.egress == "nat":
                group.connections.allow_to(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, f"{reason}, through NAT")
        if self._settings.egress == "ipv6":
            functions.allow_to(ec2.Peer.any_ipv6(), ec2.Port.HTTPS, "AWS services, by IPv6")

    def _declare_endpoints(self, stage: Stage) -> None:
        """Declare the endpoints: Secrets Manager for the signing keys; Lambda and STS for on-demand event pollers.

        Without the last two an on-demand mapping on private subnets never invokes anything, and says so nowhere but in
        its state; provisioned pollers need neither. Through NAT everything is reached without. Whether pollers take
        IPv6 is nowhere said, so they keep their endpoints.
        """
        services: dict[str, ec2.InterfaceVpcEndpointAwsService] = {}
        if self._settings.egress == "endpoints":
            services["SecretsManager"] = ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER
        if stage.mappings.on_demand and self._settings.egress != "nat":
            services["Lambda"] = ec2.InterfaceVpcEndpointAwsService.LAMBDA_
            services["Sts"] = ec2.InterfaceVpcEndpointAwsService.STS
        for name, service in services.items():
            ec2.InterfaceVpcEndpoint(
                self,
                f"{name}Endpoint",
                vpc=self.vpc,
                service=service,
                subnets=ec2.SubnetSelection(subnets=self.subnets[: self._settings.endpoint_zones]),
                security_groups=[self.groups.endpoints],
                # CDK would let the whole VPC in; the rules above name who needs it.
                open=False,
                private_dns_enabled=True,
            )


def _subnets(egress: Egress) -> list[ec2.SubnetConfiguration]:
    kinds = ec2.SubnetType
    private = kinds.PRIVATE_ISOLATED if egress == "endpoints" else kinds.PRIVATE_WITH_EGRESS
    subnets = [ec2.SubnetConfiguration(name=_PRIVATE, subnet_type=private, cidr_mask=20)]
    if egress == "nat":
        public = ec2.SubnetConfiguration(
            name="Nat", subnet_type=kinds.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
        )
        subnets.append(public)
    return subnets
