"""Bills worked out by hand: a price or a formula that changes has to change here too."""

from dataclasses import replace

import pytest

from cdk_app.settings import Stage
from cdk_app.stages import DEV, LOCAL, PROD
from cdk_app.store_settings import Broker, Managed, ServerlessBroker
from dev_cli.cost.estimate import estimate
from dev_cli.cost.floor import floor_of
from dev_cli.cost.lines import Line, total
from dev_cli.cost.usage import usage_of
from dev_cli.cost.workload import Workload, traffic_of

MILLION = 1e6


def usd(lines: list[Line], *keys: str) -> float:
    return sum(line.usd for line in lines if line.key in keys)


def managed(stage: Stage) -> Managed:
    assert isinstance(stage.stores, Managed)
    return stage.stores


@pytest.mark.parametrize(
    ("key", "by_hand"),
    [
        ("msk-brokers", 2 * 0.0456 * 730),
        ("msk-storage", 2 * 20 * 0.10),
        ("cache-storage", 0.1 * 0.084 * 730),
        ("endpoints", 3 * 0.01 * 730),
        ("aurora-capacity", 0.0),
    ],
)
def test_the_floor_of_dev_is_two_small_brokers_a_small_cache_and_three_endpoints(key: str, by_hand: float) -> None:
    assert usd(floor_of(DEV), key) == pytest.approx(by_hand)


def test_a_database_that_never_pauses_costs_half_an_acu_all_month() -> None:
    paused, awake = floor_of(DEV), floor_of(DEV, awake=True)
    assert total(awake) - total(paused) == pytest.approx(0.5 * 730 * 0.12) == pytest.approx(43.8)


def test_a_million_messages_between_two_are_four_million_frames() -> None:
    # In: the message. Out: its ack, message.stored to the sender, message.new to the recipient.
    bill = usage_of(DEV, Workload(messages=MILLION))
    assert usd(bill, "websocket-messages") == pytest.approx(4.00)
    # 3 and 3.3 million at most would be invocations of a batch of one; ten a batch leave 1.2 million.
    assert usd(bill, "invocations") == pytest.approx(0.20 * 1.2)
    assert 4.5 < total(bill) < 8


def test_fan_out_costs_one_frame_a_recipient() -> None:
    # Worked once for fan-outs of 10 and 100: three frames for the sender, one for each recipient.
    for recipients, by_hand in ((10, 13.0), (100, 103.0)):
        work = Workload(messages=MILLION, group_share=1.0, group_size=recipients + 1)
        assert usd(usage_of(DEV, work), "websocket-messages") == pytest.approx(by_hand)


def test_a_thousand_people_connected_all_month_cost_eleven_dollars_and_their_heartbeats_twice_that() -> None:
    bill = usage_of(DEV, Workload(users=1_000, hours=24))
    minutes = 1_000 * 730 * 60
    assert usd(bill, "connection-minutes") == pytest.approx(minutes * 0.25 / MILLION) == pytest.approx(10.95)
    # Every four minutes a ping and its pong.
    assert usd(bill, "websocket-messages") == pytest.approx(2 * minutes / 4 / MILLION)


def test_every_line_of_a_million_messages_between_two_follows_from_what_a_message_does() -> None:
    # A first estimate of such an application is $4.1: three frames, four batches of functions, little logged. Ours is
    # 6.42: `ack` and `message.stored` are frames of their own (1.00), and data out, traces, Aurora's requests and its
    # growth are counted too (1.07), as are the APIs' own log lines (0.18).
    by_hand = {
        "websocket-messages": 4 * 1.00,
        # One invocation of gateway-websocket a frame; a tenth of one of logic-upstream and of gateway-deliver each.
        "invocations": 1.2 * 0.20,
        # At half a GiB: 12 ms a frame, 25 + 10 ms and 10 + 0.3 x 20 ms a batch.
        "lambda-time": (12_000 + 100 * 35 + 100 * 16) * 0.5 * 0.0000133334,
        # Bytes of log lines: 1,100 an invocation, 350 a frame; kept for 14 of a month's 30.4 days.
        "logs": (1.2 * 1_100 + 350) / 1_000 * 0.50,
        "logs-kept": (1.2 * 1_100 + 350) / 1_000 * 14 / 30.4 * 0.03,
        "traces": 0.05 * 1.2 * 5.00,
        # Two posts of 1,100 bytes and one answer of 200.
        "data-out": (2 * 1_100 + 200) / 1_000 * 0.09,
        "aurora-capacity": MILLION / 300 / 3_600 * 0.12,
        "aurora-io": 2 * 0.20,
        "aurora-storage": 1.5 * 0.10,
        "cache-units": 13 * 0.0023,
    }
    bill = usage_of(DEV, Workload(messages=MILLION))
    assert {line.key: line.usd for line in bill} == pytest.approx(by_hand)
    assert total(bill) == pytest.approx(6.42, abs=0.005)


def test_copies_in_the_vault_are_billed_in_full_once_they_are_older_than_point_in_time_recovery() -> None:
    # 35 days in the vault, of which 14 are held for nothing: 21 copies of 1.5 GB.
    bill = usage_of(PROD, Workload(messages=MILLION))
    assert usd(bill, "backup-storage") == pytest.approx(21 * 1.5 * 0.021)
    assert usd(usage_of(DEV, Workload(messages=MILLION)), "backup-storage") == 0


def test_express_brokers_are_billed_what_is_written_and_what_is_kept() -> None:
    stores = managed(PROD)
    assert isinstance(stores.broker, Broker)
    express = replace(stores.broker, instance_type="express.m7g.large", volume_gib=None)
    stage = replace(PROD, stores=replace(stores, broker=express))
    # The message upstream, two posts downstream: 3.3 GB, kept for 7 of 730 / 24 days.
    bill = usage_of(stage, Workload(messages=MILLION))
    assert usd(bill, "msk-data") == pytest.approx(3.3 * 0.01)
    assert usd(bill, "msk-storage") == pytest.approx(3.3 * 7 * 24 / 730 * 0.10)
    assert usd(floor_of(stage), "msk-storage") == 0


def test_beyond_a_billion_frames_a_million_costs_80_cents() -> None:
    bill = usage_of(DEV, Workload(messages=300 * MILLION))
    assert usd(bill, "websocket-messages") == pytest.approx(1000 * 1.00 + 200 * 0.80)


def test_who_is_away_gets_a_push_and_no_frame() -> None:
    away = traffic_of(Workload(messages=10, online=0.0))
    assert (away.pushes, away.posts) == (10, 10)
    stage = replace(DEV, push_applications=(("fcm", "arn:aws:sns:us-east-1:123456789012:app/GCM/chat"),))
    assert usd(usage_of(stage, Workload(messages=MILLION, online=0.0)), "pushes") == pytest.approx(1.00)
    assert usd(usage_of(DEV, Workload(messages=MILLION, online=0.0)), "pushes") == 0


def test_fuller_batches_are_cheaper() -> None:
    quiet, busy = (total(usage_of(PROD, Workload(messages=MILLION, batch=batch))) for batch in (1, 300))
    assert busy < quiet


def test_what_a_stage_is_set_to_is_what_is_paid() -> None:
    stores = managed(PROD)
    assert isinstance(stores.broker, Broker)
    one_broker_more = replace(PROD, stores=replace(stores, broker=replace(stores.broker, brokers=6)))
    assert usd(floor_of(one_broker_more), "msk-brokers") == pytest.approx(2 * usd(floor_of(PROD), "msk-brokers"))
    redis = replace(PROD, stores=replace(stores, cache=replace(stores.cache, engine="redis")))
    assert usd(floor_of(redis), "cache-storage") == pytest.approx(1.0 * 0.125 * 730)
    nat = replace(DEV, stores=replace(managed(DEV), egress="nat"))
    assert usd(floor_of(nat), "nat") == pytest.approx(managed(DEV).endpoint_zones * 0.045 * 730)
    assert usd(floor_of(nat), "endpoints") == 0
    proxy = replace(PROD, stores=replace(stores, database=replace(stores.database, proxy=True)))
    assert usd(floor_of(proxy), "rds-proxy") == pytest.approx(8 * 0.015 * 730)
    kept = replace(PROD, log_retention_days=14)
    work = Workload(messages=MILLION)
    assert usd(usage_of(kept, work), "logs-kept") < usd(usage_of(PROD, work), "logs-kept")


def test_msk_serverless_is_paid_by_the_hour_the_partition_and_the_byte() -> None:
    serverless = replace(DEV, stores=replace(managed(DEV), broker=ServerlessBroker()))
    # Five topics of six partitions, and dead letters.
    assert usd(floor_of(serverless), "msk-brokers") == pytest.approx((0.75 + 31 * 0.0015) * 730)
    assert usd(floor_of(serverless), "msk-storage") == 0
    # The message upstream, two posts downstream: 3.3 GB, each read once.
    bill = usage_of(serverless, Workload(messages=MILLION))
    assert usd(bill, "msk-data") == pytest.approx(3.3 * (0.10 + 0.05))
    assert usd(bill, "msk-storage") == pytest.approx(3.3 * 7 * 24 / 730 * 0.10)
    assert usd(usage_of(DEV, Workload(messages=MILLION)), "msk-data") == 0


def test_pollers_of_a_group_share_their_units() -> None:
    alone = replace(PROD, mappings=replace(PROD.mappings, shared_pollers=False))
    shared = replace(PROD, mappings=replace(PROD.mappings, shared_pollers=True))
    # Five mappings: upstream, worker, push, and the two of the cell.
    assert usd(floor_of(alone), "pollers") == pytest.approx(5 * 0.185 * 730)
    # Four share a unit; the lane of large groups has its own.
    assert usd(floor_of(shared), "pollers") == pytest.approx(2 * 0.185 * 730)


def test_existing_stores_are_on_somebody_elses_bill() -> None:
    keys = {line.key for line in floor_of(LOCAL)}
    assert not keys & {"msk-brokers", "aurora-capacity", "cache-storage", "endpoints"}


def test_the_proxy_has_an_endpoint_for_the_readers_in_each_zone() -> None:
    stores = managed(PROD)
    assert usd(floor_of(PROD), "proxy-endpoint") == pytest.approx(3 * 0.01 * 730)
    alone = replace(PROD, stores=replace(stores, database=replace(stores.database, readers=0)))
    assert usd(floor_of(alone), "proxy-endpoint") == 0


def test_an_estimate_with_messages_counts_the_database_as_awake() -> None:
    idle, busy = estimate(DEV, Workload()), estimate(DEV, Workload(messages=1_000))
    assert busy.floor_usd == pytest.approx(idle.floor_awake_usd)
    assert idle.floor_usd < busy.floor_usd
    assert not idle.usage


def test_a_million_connection_minutes_cost_what_minutes_and_heartbeats_cost() -> None:
    per_million = estimate(DEV, Workload()).per_million
    assert per_million["connection minutes, with heartbeats"] == pytest.approx(0.25 + 2 / 4)
