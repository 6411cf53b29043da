"""When an instance counts as ill, as well again, and as gone."""

import pytest

from gochat_aws.registry.instances import Instance, MalformedInstanceError, read_instance
from gochat_aws.registry.lease import is_to_be_removed, judge


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [([], None), ([True], True), ([False], None), ([False, False, True], True), ([False, False, False], False)],
)
def test_a_healthy_instance_may_miss_two_calls_but_not_three(answers: list[bool], verdict: bool | None) -> None:
    assert judge(answers, was_healthy=True) is verdict


@pytest.mark.parametrize(
    ("answers", "verdict"), [([], None), ([False], False), ([True], None), ([True, False], False), ([True, True], True)]
)
def test_an_ill_instance_must_answer_twice(answers: list[bool], verdict: bool | None) -> None:
    assert judge(answers, was_healthy=False) is verdict


@pytest.mark.parametrize("ill_for_long", [True, False])
@pytest.mark.parametrize("answers", [True, False])
def test_an_instance_of_the_stack_is_never_removed(ill_for_long: bool, answers: bool) -> None:
    one = Instance(instance_id="live", origin="stack")
    assert not is_to_be_removed(one, ill_since_an_earlier_run=ill_for_long, answers_now=answers)


def test_one_that_registered_itself_is_removed_when_it_was_ill_a_run_ago_and_still_is() -> None:
    one = Instance(instance_id="container", origin="self")
    assert is_to_be_removed(one, ill_since_an_earlier_run=True, answers_now=False)
    assert not is_to_be_removed(one, ill_since_an_earlier_run=True, answers_now=True)
    assert not is_to_be_removed(one, ill_since_an_earlier_run=False, answers_now=False)


GOOD = {"function": "rpc:live", "weight": "90", "origin": "stack", "draining": "false", "AWS_INIT_HEALTH_STATUS": "x"}


def test_attributes_are_read_back_as_they_were_written() -> None:
    written = Instance(
        instance_id="c", endpoint="grpc://10.0.0.1:50051", weight=7, origin="self", draining=True, version="3"
    )
    assert read_instance("c", written.attributes(), healthy=True) == written


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight": "many"},
        {"weight": "-1"},
        {"weight": "1001"},
        {"origin": "elsewhere"},
        {"draining": "perhaps"},
        {"endpoint": "http://example.org"},
        {"connections": "-3"},
    ],
)
def test_attributes_that_make_no_sense_are_refused(wrong: dict[str, str]) -> None:
    assert read_instance("live", GOOD, healthy=True).weight == 90
    with pytest.raises(MalformedInstanceError):
        read_instance("live", GOOD | wrong, healthy=True)


def test_attributes_without_an_origin_are_refused_because_nobody_knows_whether_they_may_be_removed() -> None:
    with pytest.raises(MalformedInstanceError):
        read_instance("live", {"function": "rpc:live"}, healthy=True)


def test_what_cloud_map_would_not_keep_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="1024"):
        Instance(instance_id="live", function="x" * 1_025).attributes()
    with pytest.raises(ValueError, match="weight"):
        Instance(instance_id="live", weight=1_001).attributes()
