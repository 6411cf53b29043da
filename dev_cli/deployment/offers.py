"""Asks AWS whether the region offers what the stores are made of: half an hour later the deployment would ask."""

from collections.abc import Callable, Iterator
from typing import Any

from cdk_app.store_settings import AURORA_VERSION, Broker, Managed
from dev_cli.aws.target import Target
from dev_cli.deployment.findings import Finding, doubtful, good, wrong

INSTANCE_CLASS = "db.serverless"


def look_at_offers(target: Target) -> Iterator[Finding]:
    """Tell of the database's and the broker's versions and of the endpoints' zones; unreadable ones stop nothing."""
    from botocore.exceptions import BotoCoreError, ClientError

    stores = target.stage.stores
    if not isinstance(stores, Managed) or target.stage.on_emulator:
        return
    questions: list[tuple[str, Callable[[Target, Managed], Finding]]] = [
        ("Aurora's versions", _database),
        ("MSK's versions", _broker),
        ("the endpoints' zones", _endpoints),
    ]
    for subject, ask in questions:
        try:
            yield ask(target, stores)
        except (BotoCoreError, ClientError, NotImplementedError):
            yield doubtful(f"{subject} could not be read", "Nothing is wrong with that: the deployment will tell.")


def _database(target: Target, stores: Managed) -> Finding:
    """Look whether the engine's version can be ordered in enough of the zones."""
    client = target.client("rds")
    pages = client.get_paginator("describe_orderable_db_instance_options").paginate(
        Engine="aurora-mysql", EngineVersion=AURORA_VERSION, DBInstanceClass=INSTANCE_CLASS
    )
    names = {zone["Name"] for option in pages.search("OrderableDBInstanceOptions[]") for zone in _zones(option)}
    if not names:
        return wrong(
            f"Aurora MySQL {AURORA_VERSION} can't be ordered in {target.stage.region} as {INSTANCE_CLASS}",
            "Put a version that is offered into cdk_app/store_settings.py: "
            f"aws rds describe-db-engine-versions --engine aurora-mysql --region {target.stage.region}",
        )
    offered = set(stores.zone_ids) & _ids(target, names)
    if len(offered) < len(stores.zone_ids):
        missing = ", ".join(zone for zone in stores.zone_ids if zone not in offered)
        return doubtful(f"Aurora MySQL {AURORA_VERSION} is not told to stand in {missing}", "Its other zones will do.")
    return good(f"Aurora MySQL {AURORA_VERSION} in {', '.join(stores.zone_ids)}")


def _broker(target: Target, stores: Managed) -> Finding:
    """Look whether new clusters may have the version; which kinds of broker it has, nobody tells beforehand."""
    if not isinstance(stores.broker, Broker):
        return good("MSK Serverless chooses its version itself")
    version = stores.broker.kafka_version
    pages = target.client("kafka").get_paginator("list_kafka_versions").paginate()
    states = {one["Version"]: one["Status"] for one in pages.search("KafkaVersions[]")}
    if states.get(version) == "ACTIVE":
        return good(f"Kafka {version}")
    active = ", ".join(sorted(name for name, state in states.items() if state == "ACTIVE"))
    return wrong(f"MSK has no Kafka {version} for new clusters", f"kafka_version in cdk_app/stages.py: one of {active}")


def _endpoints(target: Target, stores: Managed) -> Finding:
    """Look whether the services have endpoints in the zones where the stage puts them."""
    if stores.egress == "nat":
        return good("no endpoints are needed")
    zones = stores.zone_ids[: stores.endpoint_zones]
    services = [f"com.amazonaws.{target.stage.region}.{name}" for name in ("secretsmanager", "lambda", "sts")]
    answer = target.client("ec2").describe_vpc_endpoint_services(ServiceNames=services)
    for service in answer["ServiceDetails"]:
        missing = set(zones) - _ids(target, set(service["AvailabilityZones"]))
        if missing:
            return wrong(
                f"{service['ServiceName']} has no endpoint in {', '.join(sorted(missing))}",
                "Another order of zone_ids in cdk_app/stages.py: endpoints stand in the first ones.",
            )
    return good(f"endpoints of AWS services in {', '.join(zones)}")


def _zones(option: dict[str, Any] | None) -> list[dict[str, str]]:
    return list((option or {}).get("AvailabilityZones", []))


def _ids(target: Target, names: set[str]) -> set[str]:
    """Translate names of zones into ids, which mean the same in every account."""
    found = target.client("ec2").describe_availability_zones()["AvailabilityZones"]
    return {zone["ZoneId"] for zone in found if zone["ZoneName"] in names}
