"""A container's membership: in the registry once it serves, out of it before it ends, whatever the registry does."""

import os
import threading

import pytest
from aws_lambda_powertools import Logger

from gochat_aws.registry.instances import LOGIC, Instance
from gochat_aws.registry.membership import HEARD_AFTER_S, Membership, membership_from
from gochat_aws.registry.registration import Registry
from gochat_aws.sigv4 import MissingCredentialsError
from tests.fakes.registry import Stopwatch
from tests.fixtures.moto_endpoint import MotoEndpoint
from tests.flows.stock_client import eventually
from tests.integration.registry.conftest import Place

LOGGER = Logger(service="test")
SELF = Instance(instance_id="10.0.0.7:50051", endpoint="grpc://10.0.0.7:50051", origin="self")


def listed(place: Place) -> dict[str, Instance]:
    return {one.instance_id: one for one in place.cloud_map().list_instances(LOGIC).instances}


def test_a_container_joins_drains_until_callers_have_heard_and_leaves(place: Place) -> None:
    clock = Stopwatch(0.0)
    drained: list[bool] = []

    def pause(for_s: float) -> None:
        drained.append(listed(place)[SELF.instance_id].draining)
        clock.pause(for_s)

    member = Membership(place.registry, LOGIC, SELF, logger=LOGGER, pause=pause)

    member.join()
    assert listed(place)[SELF.instance_id].origin == "self"
    member.drain()
    assert (drained, clock.now_s) == ([True], HEARD_AFTER_S)
    member.leave()

    assert listed(place) == {}
    assert place.notices(3) == [(SELF.instance_id, what) for what in ("registered", "draining", "deregistered")]


def test_a_container_whose_lease_ended_while_it_was_cut_off_comes_back(place_on_moto: Place) -> None:
    member = Membership(place_on_moto.registry, LOGIC, SELF, logger=LOGGER, heartbeat_every_s=0.05)
    member.join()

    place_on_moto.registry().deregister(LOGIC, SELF.instance_id)

    eventually(lambda: SELF.instance_id in listed(place_on_moto), "it is registered again")
    member.drain()
    member.leave()
    assert listed(place_on_moto) == {}


def test_a_container_serves_and_ends_without_a_registry(place_on_moto: Place, moto: MotoEndpoint) -> None:
    moto.fault = (500, "InternalFailure")
    paused: list[float] = []
    member = Membership(place_on_moto.registry, LOGIC, SELF, logger=LOGGER, pause=paused.append)

    member.join()
    member.drain()
    member.leave()

    assert paused == [], "nobody hears of it: nothing to wait for"


def test_a_container_that_leaves_beats_no_more(place_on_moto: Place) -> None:
    member = Membership(place_on_moto.registry, LOGIC, SELF, logger=LOGGER, heartbeat_every_s=0.01)
    member.join()

    member.leave()

    assert not [thread for thread in threading.enumerate() if "_beat" in thread.name]
    assert listed(place_on_moto) == {}


def test_a_container_whose_credentials_are_gone_serves_on() -> None:
    def open_registry() -> Registry:
        raise MissingCredentialsError("AWS_ACCESS_KEY_ID")

    member = Membership(open_registry, LOGIC, SELF, logger=LOGGER, heartbeat_every_s=0.01)

    member.join()
    member.leave()


def test_a_container_that_is_told_no_endpoint_stays_out() -> None:
    assert membership_from({"AWS_REGION": "us-east-1"}, LOGIC, logger=LOGGER) is None


def test_a_container_registers_under_the_endpoint_that_it_is_told(
    place_on_moto: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", place_on_moto.url)
    environ = {
        **os.environ,
        "GOCHAT_REGISTRY_ENDPOINT": SELF.endpoint,
        "GOCHAT_REGISTRY_NAMESPACE": "gochat-test",
        "GOCHAT_REGISTRY_BUS": "gochat-test-registry",
        "GOCHAT_REGISTRY_WEIGHT": "7",
    }
    member = membership_from(environ, LOGIC, logger=LOGGER)
    assert member is not None

    member.join()

    found = listed(place_on_moto)[SELF.instance_id]
    assert (found.endpoint, found.weight, found.origin) == (SELF.endpoint, 7, "self")
    member.leave()
