"""Cloud Map throttled, slow, down, empty, or full of nonsense: last known good is served, and calls go on."""

import time

import boto3
import pytest

from gochat_aws.json_api import RefusedError
from gochat_aws.registry.cloud_map import find_service_ids, open_cloud_map
from gochat_aws.registry.discover import KEPT_FOR_S, LONGEST_PAUSE_S, REFRESH_AFTER_S
from gochat_aws.registry.instances import LOGIC, Instance
from gochat_core.errors import Unavailable
from tests.fixtures.containers import containers
from tests.fixtures.moto_endpoint import MotoEndpoint
from tests.integration.registry.conftest import NAMESPACE, REGION, Place, open_caller

FAULTS = [(400, "RequestLimitExceeded"), (429, "ThrottlingException"), (500, "InternalFailure"), (503, "")]


@pytest.mark.parametrize("fault", FAULTS)
def test_last_known_good_serves_while_cloud_map_is_throttled_or_broken(
    place_on_moto: Place, moto: MotoEndpoint, fault: tuple[int, str]
) -> None:
    with containers("a") as (a,):
        place_on_moto.registry().register(LOGIC, a.instance())
        caller = open_caller(place_on_moto)
        assert caller.ask() == "a"
        moto.fault = fault
        for _ in range(5):
            caller.clock.now_s += REFRESH_AFTER_S
            assert caller.ask() == "a"


def test_a_slow_cloud_map_holds_up_one_call_in_a_pause_and_no_longer_than_its_time(
    place_on_moto: Place, moto: MotoEndpoint
) -> None:
    with containers("a") as (a,):
        place_on_moto.registry().register(LOGIC, a.instance())
        caller = open_caller(place_on_moto)
        assert caller.ask() == "a"
        moto.slow_s = 4.0
        caller.clock.now_s += REFRESH_AFTER_S
        asked = len(moto.operations)
        began_s = time.monotonic()
        assert [caller.ask() for _ in range(20)] == ["a"] * 20
        assert time.monotonic() - began_s < moto.slow_s
        assert len(moto.operations) == asked + 1


def test_the_fallback_serves_while_nothing_is_known_and_after_last_known_good_has_had_its_time(
    place_on_moto: Place, moto: MotoEndpoint
) -> None:
    with containers("a", "fallback") as (a, fallback):
        place_on_moto.registry().register(LOGIC, a.instance())
        caller = open_caller(place_on_moto, fallback=f"grpc://127.0.0.1:{fallback.port}")
        moto.fault = (503, "")
        assert caller.ask() == "fallback"
        moto.fault = None
        caller.clock.now_s += LONGEST_PAUSE_S
        assert caller.ask() == "a"
        moto.fault = (503, "")
        caller.clock.now_s += KEPT_FOR_S
        assert caller.ask() == "fallback"


def test_a_namespace_that_is_not_there_leaves_the_fallback(place_on_moto: Place) -> None:
    with containers("fallback") as (fallback,):
        place_on_moto.clients["servicediscovery"].delete_service(Id=place_on_moto.service_id)
        caller = open_caller(place_on_moto, fallback=f"grpc://127.0.0.1:{fallback.port}")
        assert caller.ask() == "fallback"


def test_an_instance_with_malformed_attributes_gets_no_call_and_is_left_where_it_is(place: Place) -> None:
    cloud_map = place.clients["servicediscovery"]
    for instance_id, attributes in {
        "heavy": {"origin": "self", "function": "x", "weight": "heavy"},
        "nobodys": {"function": "x"},
        "web": {"origin": "self", "endpoint": "http://example.org"},
    }.items():
        cloud_map.register_instance(ServiceId=place.service_id, InstanceId=instance_id, Attributes=attributes)
    with containers("a") as (a,):
        place.registry().register(LOGIC, a.instance())
        found = place.cloud_map().discover(LOGIC)
        assert [one.instance_id for one in found.instances] == ["a"]
        assert len(found.malformed) == 3
        assert {open_caller(place).ask() for _ in range(20)} == {"a"}
        assert place.run_prober()["InstancesProbed"] == 1
        assert len(cloud_map.list_instances(ServiceId=place.service_id)["Instances"]) == 4


def test_a_bus_that_is_away_keeps_nobody_from_registering(place_on_moto: Place, moto: MotoEndpoint) -> None:
    boto3.client("events", region_name=REGION).delete_event_bus(Name="gochat-test-registry")
    place_on_moto.registry().register(LOGIC, Instance(instance_id="a", function="x", origin="self"))
    assert [one.instance_id for one in place_on_moto.cloud_map().discover(LOGIC).instances] == ["a"]


def test_who_can_t_reach_cloud_map_is_told_so(moto: MotoEndpoint, place_on_moto: Place) -> None:
    moto.fault = (400, "RequestLimitExceeded")
    with pytest.raises(Unavailable):
        place_on_moto.cloud_map().list_instances(LOGIC)
    moto.fault = (400, "InvalidInput")
    with pytest.raises(RefusedError):
        place_on_moto.cloud_map().list_instances(LOGIC)
    moto.fault = None
    assert not place_on_moto.cloud_map().deregister(LOGIC, "nobody")


def test_a_registration_that_is_still_under_way_is_to_be_tried_later(place_on_moto: Place, moto: MotoEndpoint) -> None:
    moto.fault = (400, "ResourceInUse")
    with pytest.raises(Unavailable):
        place_on_moto.cloud_map().register(LOGIC, Instance(instance_id="a", origin="self"))


def test_services_are_found_by_the_name_of_their_namespace(place: Place) -> None:
    api = open_cloud_map(region=REGION, endpoint=place.url)
    assert find_service_ids(api, NAMESPACE)[LOGIC] == place.service_id
    with pytest.raises(RefusedError):
        find_service_ids(api, "elsewhere")


def test_more_instances_than_a_page_are_all_listed(place: Place) -> None:
    cloud_map = place.cloud_map()
    for number in range(130):
        cloud_map.register(LOGIC, Instance(instance_id=f"i{number:03}", function="x", origin="self"))
    assert len(cloud_map.list_instances(LOGIC).instances) == 130
    assert len(cloud_map.discover(LOGIC).instances) == 130
