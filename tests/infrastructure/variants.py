"""The stages that are synthesized in tests: those there are, and one for each option that they leave alone."""

from dataclasses import replace
from typing import Any

from cdk_app.settings import Domains, Stage
from cdk_app.stages import DEV, EXTERNAL, LOCAL, PROD
from cdk_app.store_settings import (
    Broker,
    External,
    ExternalCache,
    ExternalDatabase,
    ExternalKafka,
    Managed,
    ServerlessBroker,
)

DOMAINS = Domains(
    http="api.chat.example.org",
    websocket="ws.chat.example.org",
    certificate_arn="arn:aws:acm:us-east-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef",
    hosted_zone_id="Z0123456789ABCDEFGHIJ",
    zone_name="chat.example.org",
    web="chat.example.org",
    web_certificate_arn="arn:aws:acm:us-east-1:111122223333:certificate/abcdef01-89ab-cdef-0123-456789abcdef",
)

COPY = "arn:aws:rds:us-east-1:111122223333:cluster-snapshot:awsbackup:job-01234567-89ab-cdef-0123-456789abcdef"


def _managed(stage: Stage, **changes: Any) -> Stage:
    assert isinstance(stage.stores, Managed)
    return replace(stage, stores=replace(stage.stores, **changes))


def _redis_oss() -> Stage:
    assert isinstance(DEV.stores, Managed)
    return _managed(DEV, cache=replace(DEV.stores.cache, engine="redis"))


def _external_msk() -> Stage:
    """Stores of the account that take IAM: an MSK cluster, an Aurora cluster, a serverless cache."""
    assert isinstance(EXTERNAL.stores, External)
    arn = "arn:aws:kafka:us-east-1:111122223333:cluster/chat/01234567-89ab-cdef-0123-456789abcdef-1"
    return replace(
        EXTERNAL,
        stores=replace(
            EXTERNAL.stores,
            kafka=ExternalKafka(bootstrap="boot-1.example.org:9098", auth="iam", cluster_arn=arn),
            database=ExternalDatabase(
                host="chat.cluster-c1.us-east-1.rds.amazonaws.com",
                auth="iam",
                user="gochat_app",
                migration_user="gochat_migration",
                resource_id="cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            ),
            cache=ExternalCache(
                host="chat.serverless.use1.cache.amazonaws.com", auth="iam", user="gochat", cache_name="chat"
            ),
        ),
    )


def _external_mtls() -> Stage:
    """A Kafka of somebody else's, which asks for certificates and has one that a root of its own signs."""
    assert isinstance(EXTERNAL.stores, External)
    secrets = "arn:aws:secretsmanager:us-east-1:111122223333:secret:"
    kafka = ExternalKafka(
        bootstrap="kafka.example.org:9094",
        auth="mtls",
        secret_arn=f"{secrets}kafka-client-AbCdEf",
        ca_secret_arn=f"{secrets}kafka-root-AbCdEf",
    )
    return replace(EXTERNAL, stores=replace(EXTERNAL.stores, kafka=kafka))


def _own_topics() -> Stage:
    """The same, whose owner makes the topics."""
    stage = _external_mtls()
    assert isinstance(stage.stores, External)
    return replace(stage, stores=replace(stage.stores, kafka=replace(stage.stores.kafka, create_topics=False)))


def _restored() -> Stage:
    """The stage that is kept, on a cluster made from a copy in the vault."""
    assert isinstance(PROD.stores, Managed)
    return _managed(PROD, database=replace(PROD.stores.database, restored_from=COPY))


STAGES = {"local": LOCAL, "dev": DEV, "prod": PROD, "external": EXTERNAL}

VARIANTS = {
    "two-cells": replace(PROD, cells=("g1", "g2"), sweeps=replace(PROD.sweeps, audit=False)),
    "custom-domain": replace(DEV, domains=DOMAINS, cells=("g1", "g2"), web_page=True, web_origins=()),
    "web-page": replace(DEV, web_page=True),
    "redis-oss": _redis_oss(),
    "nat": _managed(DEV, egress="nat"),
    "ipv6": _managed(DEV, egress="ipv6"),
    "restored": _restored(),
    "express": _managed(PROD, broker=Broker(instance_type="express.m7g.large", brokers=3, kafka_version="3.9.x")),
    "serverless": _managed(DEV, broker=ServerlessBroker()),
    "external-msk": _external_msk(),
    "external-mtls": _external_mtls(),
    "external-own-topics": _own_topics(),
}

ALL = {**STAGES, **VARIANTS}
