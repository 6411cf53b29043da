"""Compares the account's quotas, as far as they can be read, with what a stage needs of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from cdk_app.settings import Stage
from cdk_app.store_settings import Broker, Managed
from dev_cli.aws.target import Target
from dev_cli.deployment.findings import Finding, doubtful, good, wrong

LAMBDA_KEPT_BACK = 100
"""What Lambda leaves unreserved in any case (Lambda developer guide, "Configuring reserved concurrency")."""

SMALL_ACCOUNT = 50
"""New accounts may have a concurrency of 10, with which a stage works for a handful of people."""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One quota with what a stage needs of it; codes as the service's own quota page links them."""

    service: str
    code: str
    name: str
    needed: float
    hard: bool
    """Whether the deployment fails without it; else the stage only bears less."""
    used: float = 0.0


def quotas_of(stage: Stage) -> list[Quota]:
    """List what a stage needs."""
    reserved = sum(count for _, count in stage.reserved_concurrency)
    quotas = [
        Quota(
            service="lambda",
            code="L-B99A9384",
            name="Lambda: concurrent executions",
            needed=reserved + LAMBDA_KEPT_BACK if reserved else SMALL_ACCOUNT,
            hard=bool(reserved),
        ),
        Quota(
            service="apigateway",
            code="L-8A5B8E43",
            name="API Gateway: requests a second, callbacks among them",
            needed=stage.websocket_throttle.rate * len(stage.cells) + stage.http_throttle.rate,
            hard=False,
        ),
        Quota(
            service="apigateway",
            code="L-9ED1E49A",
            name="API Gateway: new WebSocket connections a second",
            needed=1,
            hard=False,
        ),
    ]
    return [*quotas, *_of_stores(stage.stores)] if isinstance(stage.stores, Managed) else quotas


def _of_stores(stores: Managed) -> list[Quota]:
    brokers = []
    if isinstance(stores.broker, Broker):
        name, count = "MSK: brokers of the account", stores.broker.brokers
        brokers = [Quota(service="kafka", code="L-EDD31C36", name=name, needed=count, hard=True)]
    return [
        Quota(service="vpc", code="L-F678F1CE", name="VPC: networks of the region", needed=1, hard=True),
        Quota(service="vpc", code="L-29B6F2EB", name="VPC: interface endpoints of a network", needed=3, hard=True),
        *brokers,
        Quota(service="rds", code="L-952B80B8", name="RDS: clusters of the region", needed=1, hard=True),
    ]


def look_at_quotas(target: Target, *, deployed: bool) -> Iterator[Finding]:
    """Tell of each quota; what can't be read is said and stops nothing. A stage that stands has what it needs by piece.

    Networks in use are counted, because five of them is all that a new account has. The local AWS has no quotas.
    """
    if target.stage.on_emulator:
        return
    for quota in quotas_of(target.stage):
        value = _value(target, quota)
        if value is None:
            yield doubtful(f"{quota.name}: could not be read", _console(target, quota))
            continue
        free = value - (0 if deployed else _used(target, quota))
        if free >= quota.needed:
            yield good(f"{quota.name}: {value:g}, {quota.needed:g} needed")
            continue
        say = wrong if quota.hard and not deployed else doubtful
        yield say(
            f"{quota.name}: {free:g} left of {value:g}, {quota.needed:g} needed",
            f"Ask for more: {_console(target, quota)}",
        )


def _value(target: Target, quota: Quota) -> float | None:
    from botocore.exceptions import BotoCoreError, ClientError

    client = target.client("service-quotas")
    for read in (client.get_service_quota, client.get_aws_default_service_quota):
        try:
            return float(read(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]["Value"])
        except (BotoCoreError, ClientError, NotImplementedError):
            continue
    return None


def _used(target: Target, quota: Quota) -> int:
    """Count what is taken of a quota already, where a new account comes near it."""
    if quota.code != "L-F678F1CE":
        return 0
    return len(target.client("ec2").describe_vpcs()["Vpcs"])


def _console(target: Target, quota: Quota) -> str:
    home = f"https://{target.stage.region}.console.aws.amazon.com/servicequotas/home/services"
    return f"{home}/{quota.service}/quotas/{quota.code}"
