"""Looks at what stands already: stacks in a state that no deployment gets past, and remains of a destroyed stage."""

from collections.abc import Callable, Iterator

from cdk_app.store_settings import Managed
from dev_cli.aws.stacks import DeployedStack, deployed_stacks
from dev_cli.aws.target import Target
from dev_cli.deployment.findings import Finding, good, wrong

_STUCK = {
    "ROLLBACK_COMPLETE": "Its creation failed. Delete it: {delete}",
    "ROLLBACK_FAILED": "Its creation failed, and so did cleaning up. Delete it: {delete}",
    "DELETE_FAILED": "Its deletion failed. See its events for what is in the way, then: {delete}",
    "UPDATE_ROLLBACK_FAILED": "Its update failed and could not be undone. See its events, mend what they name, then: "
    "aws cloudformation continue-update-rollback --stack-name {name} --region {region}",
}


def look_at_stacks(target: Target) -> Iterator[Finding]:
    """Tell of stacks that are stuck or busy."""
    stacks = deployed_stacks(target)
    faults = [fault for stack in stacks if (fault := _fault_of(target, stack))]
    yield from faults
    if not faults:
        yield good(f"{len(stacks)} stacks of {target.stage.name} stand, none is stuck" if stacks else "a new stage")


def _fault_of(target: Target, stack: DeployedStack) -> Finding | None:
    region = target.stage.region
    if stack.status in _STUCK:
        delete = f"aws cloudformation delete-stack --stack-name {stack.name} --region {region}"
        if stack.protected:
            release = "aws cloudformation update-termination-protection --no-enable-termination-protection"
            delete = f"{release} --stack-name {stack.name} --region {region} && {delete}"
        if stack.status == "ROLLBACK_FAILED" and stack.name.endswith("-Data"):
            # The one resource that refuses to go with its failed creation.
            release = f"aws rds modify-db-cluster --no-deletion-protection --region {region} --apply-immediately"
            delete = f"{release} --db-cluster-identifier {target.stage.database_name} && {delete}"
        advice = _STUCK[stack.status].format(name=stack.name, region=region, delete=delete)
        return wrong(f"{stack.name} is {stack.status}: {stack.reason}".rstrip(": "), advice)
    if not stack.settled and stack.status != "REVIEW_IN_PROGRESS":
        return wrong(f"{stack.name} is {stack.status}", "Somebody is deploying it: wait for the end, then try again.")
    return None


def look_at_remains(target: Target, stacks: list[DeployedStack]) -> Iterator[Finding]:
    """Tell of what an earlier stage of this name has left, where its stack is to make the same name again."""
    standing = {stack.name.removeprefix(target.stack_prefix) for stack in stacks}
    searches: list[tuple[str, Callable[[Target], list[str]]]] = [("Services", _secrets), ("Media", _buckets)]
    if isinstance(target.stage.stores, Managed):
        searches += [("Data", _databases), ("Broker", _clusters)]
    if not target.stage.keep:
        # Those of a stage that keeps them are taken over (`cloud_deployment.py`).
        searches.append(("Services", _log_groups))
    for part, search in searches:
        if part in standing:
            continue
        for name in search(target):
            yield wrong(
                f"{name} is left from before, and the stack {target.stack_prefix}{part} can't make it again",
                "docs/operations.md, “After a destroyed stage”, says how to take it over or to delete it.",
            )


def _secrets(target: Target) -> list[str]:
    client = target.client("secretsmanager")
    names = []
    for name in (f"{target.stage.prefix}/token-signing", f"{target.stage.prefix}/web-push"):
        try:
            found = client.describe_secret(SecretId=name)
        except client.exceptions.ResourceNotFoundException:
            continue
        names.append(f"the secret {name}" + (" (its deletion is scheduled)" if found.get("DeletedDate") else ""))
    return names


def _buckets(target: Target) -> list[str]:
    prefix = f"{target.stage.prefix}-media-"
    buckets = target.client("s3").list_buckets()["Buckets"]
    return [f"the bucket {one['Name']}" for one in buckets if one["Name"].startswith(prefix)]


def _databases(target: Target) -> list[str]:
    clusters = target.client("rds").describe_db_clusters()["DBClusters"]
    names = [one["DBClusterIdentifier"] for one in clusters]
    return [f"the database {name}" for name in names if name == target.stage.database_name]


def _clusters(target: Target) -> list[str]:
    clusters = target.client("kafka").list_clusters_v2()["ClusterInfoList"]
    return [f"the Kafka cluster {one['ClusterName']}" for one in clusters if one["ClusterName"] == target.stage.prefix]


def _log_groups(target: Target) -> list[str]:
    pages = target.client("logs").get_paginator("describe_log_groups")
    groups = pages.paginate(logGroupNamePrefix=f"/aws/lambda/{target.stage.prefix}-").search("logGroups[].logGroupName")
    names = [str(name) for name in groups if name]
    return [f"the log group {names[0]} (of {len(names)})"] if names else []
