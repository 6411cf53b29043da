"""Looks at the account: who deploys, into which region and zones, and whether the CDK has its place there."""

from collections.abc import Iterator
from typing import Any

from cdk_app.store_settings import Managed
from dev_cli.aws.errors import NOT_LOGGED_IN
from dev_cli.aws.target import Target
from dev_cli.deployment.findings import Finding, good, wrong

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
"""Where the CDK's bootstrap stack says its version (CDK guide, "Bootstrap template")."""

BOOTSTRAP_NEEDED = 6
"""What the templates ask for (`BootstrapVersion` in each)."""


def look_at_credentials(target: Target) -> Iterator[Finding]:
    """Tell who deploys; a fault if nobody does, or if the stage belongs to another account."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as NoConnection

    try:
        caller = target.client("sts").get_caller_identity()
    except (NoConnection, HTTPClientError) as error:
        yield wrong(f"AWS can't be reached ({error})", "Is the network up, and is a proxy needed (HTTPS_PROXY)?")
        return
    except (BotoCoreError, ClientError) as error:
        yield wrong(f"there are no AWS credentials that work ({error})", NOT_LOGGED_IN)
        return
    wanted = target.stage.account
    if wanted and caller["Account"] != wanted:
        yield wrong(
            f"the credentials are of account {caller['Account']}, the stage is set to {wanted}",
            "Use credentials of that account, or change the stage in cdk_app/stages.py.",
        )
        return
    yield good(f"account {caller['Account']}, as {caller['Arn'].rsplit(':', 1)[-1]}")


def look_at_region(target: Target) -> Iterator[Finding]:
    """Tell whether the account has the region and the zones that the stage is to stand in."""
    stores = target.stage.stores
    found = _availability_zones(target)
    region = target.stage.region
    if not found:
        yield wrong(f"the region {region} has no zone for this account", "Enable the region, or choose another one.")
        return
    if not isinstance(stores, Managed):
        yield good(f"region {region}")
        return
    missing = [zone for zone in stores.zone_ids if zone not in found]
    if missing:
        yield wrong(
            f"{region} has no zone {', '.join(missing)} for this account; it has {', '.join(sorted(found))}",
            "Choose zone_ids in cdk_app/stages.py (not use1-az3: MSK refuses it).",
        )
        return
    yield good(f"region {region}, zones {', '.join(stores.zone_ids)}")


def _availability_zones(target: Target) -> set[str]:
    described = target.client("ec2").describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    return {zone["ZoneId"] for zone in described["AvailabilityZones"] if "ZoneId" in zone}


def look_at_bootstrap(target: Target) -> Iterator[Finding]:
    """Tell whether `cdk bootstrap` was run in the region, lately enough."""
    client: Any = target.client("ssm")
    command = f"./dev deploy --stage {target.stage.name} --bootstrap"
    try:
        value = client.get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"]
    except client.exceptions.ParameterNotFound:
        yield wrong("the CDK has not been bootstrapped in this account and region", f"Once: {command}")
        return
    if int(value) < BOOTSTRAP_NEEDED:
        yield wrong(f"the CDK's bootstrap has version {value}, {BOOTSTRAP_NEEDED} is needed", f"Renew it: {command}")
        return
    yield good(f"CDK bootstrap, version {value}")
