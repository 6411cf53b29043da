"""Takes a stage down, and says what of it stays."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cdk_app.store_settings import Managed
from dev_cli.aws.stacks import DeployedStack, deployed_stacks
from dev_cli.aws.target import Target
from dev_cli.cost.floor import floor_of
from dev_cli.failure import Failure

ORDER = ("Web", "Monitoring", "Edge", "Services", "Discovery", "Media", "Broker", "Data", "Network", "Key")
"""Who stands on others goes first; parts of other names go before all of these."""

STORES = ("Media", "Broker", "Data", "Network", "Key")
"""What a stage that keeps its stores keeps: they, and the network that they stand in."""

COST_KEYS = {
    "Broker": ("msk-brokers", "msk-storage"),
    "Data": ("aurora-capacity", "rds-proxy", "proxy-endpoint", "cache-storage"),
    "Network": ("endpoints", "nat", "nat-addresses"),
    "Key": ("keys",),
}
"""What of the bill goes on while a stack stands (`dev_cli/cost/floor.py`)."""

_POLL_S = 5.0
_DEADLINE_S = 60 * 60.0
_REGISTRY_DEADLINE_S = 5 * 60.0


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What would be deleted, in this order, and what would stay."""

    target: Target
    stacks: list[DeployedStack]
    kept_stacks: list[DeployedStack]

    def remains(self) -> Iterator[str]:
        """Tell what stays and what it costs."""
        for stack in self.kept_stacks:
            cost = self._cost_of(stack)
            yield f"{stack.name}, a stack of stores that this stage keeps" + (f": ${cost:,.2f} a month" if cost else "")
        for stack in self.stacks:
            for logical_id, resource in _template(self.target, stack)["Resources"].items():
                if resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"):
                    yield f"{resource['Type']} {logical_id} of {stack.name}"
                elif resource.get("DeletionPolicy") == "Snapshot":
                    yield f"a last snapshot of {logical_id} of {stack.name}: $0.02 a GB and month"
        yield "the CDK's bootstrap, which other apps of the account may use: its bucket holds old packages"

    def cost_of_remains(self) -> float:
        """Tell what the stacks that stay cost a month."""
        return sum(self._cost_of(stack) for stack in self.kept_stacks)

    def files(self) -> int:
        """Count the files that would be deleted with the bucket, up to 1,000."""
        return sum(len(self._list_files(bucket)) for stack in self.stacks for bucket in self._buckets(stack))

    def carry_out(self, *, tell: Callable[[str], None], pause: Callable[[float], None] = time.sleep) -> None:
        """Delete stack by stack; safe to repeat after a failure, which it raises as Failure."""
        for stack in self.stacks:
            if _part(self.target, stack) == "Media":
                self._empty_buckets(stack)
            if _part(self.target, stack) == "Data":
                self._lift_protection()
            if _part(self.target, stack) == "Discovery":
                _empty_registry(self.target, pause)
            tell(f"Deleting {stack.name} …")
            _delete(self.target, stack.name, pause)

    def _cost_of(self, stack: DeployedStack) -> float:
        keys = COST_KEYS.get(_part(self.target, stack), ())
        return sum(line.usd for line in floor_of(self.target.stage) if line.key in keys)

    def _buckets(self, stack: DeployedStack) -> list[str]:
        found = self.target.client("cloudformation").describe_stack_resources(StackName=stack.name)
        return [
            resource["PhysicalResourceId"]
            for resource in found["StackResources"]
            if resource["ResourceType"] == "AWS::S3::Bucket" and resource["ResourceStatus"] != "DELETE_COMPLETE"
        ]

    def _list_files(self, bucket: str) -> list[str]:
        found = self.target.client("s3").list_objects_v2(Bucket=bucket)
        return [one["Key"] for one in found.get("Contents", [])]

    def _empty_buckets(self, stack: DeployedStack) -> None:
        """Delete the files: CloudFormation deletes only empty buckets."""
        client = self.target.client("s3")
        for bucket in self._buckets(stack):
            while keys := self._list_files(bucket):
                client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})

    def _lift_protection(self) -> None:
        """Let the database be deleted: it refuses that in every stage."""
        client = self.target.client("rds")
        name = self.target.stage.database_name
        for cluster in client.describe_db_clusters()["DBClusters"]:
            if cluster["DBClusterIdentifier"] == name and cluster["DeletionProtection"]:
                client.modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False, ApplyImmediately=True)


def _empty_registry(target: Target, pause: Callable[[float], None]) -> None:
    """Deregister whom no stack has registered, the prober's loads among them, and wait until they are gone.

    A service that has instances can't be deleted (Cloud Map API reference, "DeleteService").
    """
    client = target.client("servicediscovery")
    deadline = time.monotonic() + _REGISTRY_DEADLINE_S
    asked: set[tuple[str, str]] = set()
    while instances := set(_instances(client, target.stage.prefix)):
        for service, instance in instances - asked:
            client.deregister_instance(ServiceId=service, InstanceId=instance)
        asked |= instances
        if time.monotonic() > deadline:
            raise Failure("the registry does not become empty.", advice="Somebody registers: stop it, then try again.")
        pause(_POLL_S)


def _instances(client: Any, namespace: str) -> Iterator[tuple[str, str]]:
    """Yield (service, instance) of everybody who is registered in the namespace of this name."""
    pages = client.get_paginator("list_namespaces").paginate()
    for found in pages.search("Namespaces[]"):
        if not found or found["Name"] != namespace:
            continue
        only = [{"Name": "NAMESPACE_ID", "Values": [found["Id"]], "Condition": "EQ"}]
        for service in client.get_paginator("list_services").paginate(Filters=only).search("Services[].Id"):
            for instance in client.get_paginator("list_instances").paginate(ServiceId=service).search("Instances[].Id"):
                yield service, instance


def plan_removal(target: Target) -> Removal:
    """Plan it from what stands; Failure if a stack is being worked on."""
    stacks = sorted(deployed_stacks(target), key=lambda stack: _rank(target, stack))
    busy = [stack.name for stack in stacks if not stack.settled]
    if busy:
        raise Failure(f"{', '.join(busy)} is being worked on.", advice="Wait for the end, then try again.")
    keeps = isinstance(target.stage.stores, Managed) and target.stage.stores.keep
    kept = [stack for stack in stacks if keeps and _part(target, stack) in STORES]
    return Removal(target=target, stacks=[stack for stack in stacks if stack not in kept], kept_stacks=kept)


def _part(target: Target, stack: DeployedStack) -> str:
    return stack.name.removeprefix(target.stack_prefix)


def _rank(target: Target, stack: DeployedStack) -> int:
    part = _part(target, stack)
    return ORDER.index(part) if part in ORDER else -1


def _template(target: Target, stack: DeployedStack) -> dict[str, Any]:
    body = target.client("cloudformation").get_template(StackName=stack.name)["TemplateBody"]
    return dict(json.loads(body) if isinstance(body, str) else body)


def _delete(target: Target, name: str, pause: Callable[[float], None]) -> None:
    client = target.client("cloudformation")
    client.delete_stack(StackName=name)
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        now = next((stack for stack in deployed_stacks(target) if stack.name == name), None)
        if now is None:
            return
        if now.status == "DELETE_FAILED":
            raise Failure(
                f"{name} could not be deleted: {now.reason}",
                advice="Its events name the resource: delete what is in the way, then give this command again.",
            )
        if time.monotonic() > deadline:
            raise Failure(f"{name} is still {now.status}.", advice="Wait for the end, then give this command again.")
        pause(_POLL_S if target.endpoint_url is None else 0.2)
