"""What is invoked asynchronously and fails is kept and done again, for two weeks."""

import pytest

from tests.infrastructure.synthesis import Resource, Synthesis

TWO_WEEKS_S = 14 * 24 * 3600


def _queue(stage: Synthesis, name: str) -> Resource:
    (found,) = [one for one in stage.resources("AWS::SQS::Queue") if one.properties["QueueName"] == name]
    return found


@pytest.mark.parametrize(
    ("function", "queue"), [("gateway-websocket", "gateway-websocket-g1"), ("task-worker", "task-worker")]
)
def test_a_failed_invocation_goes_to_a_queue_that_gives_it_to_the_function_again(
    stage: Synthesis, function: str, queue: str
) -> None:
    failed = _queue(stage, f"gochat-{stage.stage}-{queue}-failed")
    given_up = _queue(stage, f"gochat-{stage.stage}-{queue}-given-up")
    own = stage.functions()[function].logical_id
    arn = {"Fn::GetAtt": [failed.logical_id, "Arn"]}

    (config,) = [
        one.properties
        for one in stage.resources("AWS::Lambda::EventInvokeConfig")
        if one.properties["FunctionName"] == {"Ref": own}
    ]
    assert (config["DestinationConfig"], config["MaximumRetryAttempts"]) == ({"OnFailure": {"Destination": arn}}, 2)
    (mapping,) = [
        one.properties
        for one in stage.resources("AWS::Lambda::EventSourceMapping")
        if one.properties.get("EventSourceArn") == arn
    ]
    assert (mapping["FunctionName"], mapping["BatchSize"]) == ({"Ref": stage.called(function)}, 1)
    assert failed.properties["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [given_up.logical_id, "Arn"]},
        "maxReceiveCount": 1_000,
    }
    timeout_s = stage.functions()[function].properties["Timeout"]
    assert failed.properties["VisibilityTimeout"] >= (1 if stage.stage == "local" else 6) * timeout_s


def test_queues_are_encrypted_and_keep_for_two_weeks(stage: Synthesis) -> None:
    queues = stage.resources("AWS::SQS::Queue")
    assert len(queues) == 4
    for queue in queues:
        assert queue.properties["SqsManagedSseEnabled"] is True
        assert queue.properties["MessageRetentionPeriod"] == TWO_WEEKS_S


def test_everything_that_is_invoked_asynchronously_says_what_becomes_of_a_failure(stage: Synthesis) -> None:
    """Sweeps alone are left to their next minute."""
    configs = stage.resources("AWS::Lambda::EventInvokeConfig")
    kept = [one for one in configs if "DestinationConfig" in one.properties]
    left = [one for one in configs if one.properties["MaximumRetryAttempts"] == 0]
    assert len(kept) + len(left) == len(configs)
    assert {one.properties["FunctionName"]["Ref"] for one in kept} == {
        stage.functions()[name].logical_id for name in ("gateway-websocket", "task-worker")
    }


def test_what_fails_for_long_and_what_was_given_up_is_told(managed_stage: Synthesis) -> None:
    for title in ("GatewayWebsocketG1", "TaskWorker"):
        alarms = {
            one.properties["MetricName"]: one.properties["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
            for one in managed_stage.resources("AWS::CloudWatch::Alarm")
            if one.logical_id.startswith(title) and one.properties.get("Namespace") == "AWS/SQS"
        }
        assert alarms["ApproximateAgeOfOldestMessage"].startswith(f"{title}Failed")
        assert alarms["ApproximateNumberOfMessagesVisible"].startswith(f"{title}GivenUp")
