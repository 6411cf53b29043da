"""The settings of the stages keep to the limits of the services they are for."""

import dataclasses

import pytest

from cdk_app.catalogue import FUNCTIONS
from cdk_app.settings import Stage
from cdk_app.stages import DEV, EXTERNAL, LOCAL, PROD, find_stage
from cdk_app.store_settings import Broker, Managed, ServerlessBroker
from cdk_app.topics import plan_topics

ALL = pytest.mark.parametrize("stage", [LOCAL, DEV, PROD, EXTERNAL], ids=lambda stage: stage.name)
MANAGED = pytest.mark.parametrize("stage", [DEV, PROD], ids=lambda stage: stage.name)


@ALL
def test_stages_are_found_by_name(stage: Stage) -> None:
    assert find_stage(stage.name) is stage


def test_an_unknown_stage_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="'production': choose one of local, dev, prod, external"):
        find_stage("production")


@ALL
def test_settings_are_frozen(stage: Stage) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        stage.region = "eu-central-1"  # type: ignore[misc]


def _stores(stage: Stage) -> Managed:
    assert isinstance(stage.stores, Managed)
    return stage.stores


def _broker(stage: Stage) -> Broker:
    broker = _stores(stage).broker
    assert isinstance(broker, Broker)
    return broker


def _serverless(stage: Stage) -> Stage:
    return dataclasses.replace(stage, stores=dataclasses.replace(_stores(stage), broker=ServerlessBroker()))


@ALL
def test_mappings_keep_to_lambda_s_limits(stage: Stage) -> None:
    for mapping in (
        stage.mappings.upstream,
        stage.mappings.worker,
        stage.mappings.deliver,
        stage.mappings.deliver_bulk,
    ):
        assert 1 <= mapping.batch_size <= 10_000
        if mapping.pollers:
            assert 1 <= mapping.pollers.minimum <= 200
            assert mapping.pollers.minimum <= mapping.pollers.maximum <= 2_000


@MANAGED
def test_brokers_are_a_multiple_of_the_zones_and_hold_every_replica(stage: Stage) -> None:
    stores, broker = _stores(stage), _broker(stage)
    assert broker.brokers % len(stores.zone_ids) == 0
    assert stage.topics.replication_factor <= broker.brokers
    assert stage.topics.min_insync_replicas < stage.topics.replication_factor, "one broker may restart"


@MANAGED
def test_zones_are_where_msk_stands(stage: Stage) -> None:
    stores = _stores(stage)
    assert len(set(stores.zone_ids)) in (2, 3)
    assert "use1-az3" not in stores.zone_ids
    assert 1 <= stores.endpoint_zones <= len(stores.zone_ids)


def test_a_small_broker_holds_the_partitions_of_dev() -> None:
    replicas = sum(plan.partitions * plan.replication_factor for plan in plan_topics(DEV))
    # MSK developer guide, "Right-size your cluster": 300 partitions, replicas included, on a t3.small broker.
    assert replicas <= 300 * _broker(DEV).brokers


def test_msk_serverless_is_refused_where_it_is_not_and_where_it_has_no_room() -> None:
    with pytest.raises(ValueError, match="no MSK Serverless in sa-east-1"):
        dataclasses.replace(_serverless(DEV), region="sa-east-1")
    with pytest.raises(ValueError, match="two zones"):
        dataclasses.replace(_stores(DEV), broker=ServerlessBroker(), zone_ids=("use1-az1",))
    crowded = dataclasses.replace(_serverless(PROD), topics=dataclasses.replace(PROD.topics, upstream_partitions=2_300))
    with pytest.raises(ValueError, match="2400 partitions"):
        plan_topics(crowded)


def test_msk_serverless_is_told_of_retention_alone() -> None:
    for plan in plan_topics(_serverless(DEV)):
        assert plan.replication_factor == -1
        assert plan.configs == {"retention.ms": "604800000"}


def test_small_brokers_are_refused_with_kraft_which_msk_does_not_have() -> None:
    with pytest.raises(ValueError, match="no t3 brokers with KRaft"):
        dataclasses.replace(_broker(DEV), kafka_version="3.9.x.kraft")


@MANAGED
def test_a_pausing_database_sees_idle_connections_go_before_it_would_pause(stage: Stage) -> None:
    database = _stores(stage).database
    if database.pause_after_s is None:
        assert database.minimum_acu > 0
    else:
        assert database.minimum_acu == 0
        assert 300 <= database.pause_after_s <= 86_400
        assert database.wait_timeout_s < database.pause_after_s


def test_reserved_functions_exist() -> None:
    assert {name for name, _ in PROD.reserved_concurrency} <= {spec.name for spec in FUNCTIONS}


@ALL
def test_each_cell_has_its_topics(stage: Stage) -> None:
    names = {plan.name for plan in plan_topics(stage)}
    assert {f"im-downstream-topic-{cell}" for cell in stage.cells} <= names
    assert {f"im-downstream-bulk-topic-{cell}" for cell in stage.cells} <= names


def test_another_cell_gets_topics_of_its_own() -> None:
    two = dataclasses.replace(LOCAL, cells=("g1", "g2"))
    assert {plan.name for plan in plan_topics(two)} - {plan.name for plan in plan_topics(LOCAL)} == {
        "im-downstream-topic-g2",
        "im-downstream-bulk-topic-g2",
    }
