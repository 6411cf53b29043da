"""The canary: where there is one, what it may do, and how often it sings."""

import pytest

from cdk_app.stages import EXTERNAL, LOCAL, PROD
from tests.infrastructure.calls import actions_of
from tests.infrastructure.synthesis import Synthesis
from tests.infrastructure.test_permissions import RUNNING

NAME = "task-canary"


@pytest.mark.parametrize("settings", [LOCAL, PROD, EXTERNAL], ids=lambda stage: stage.name)
def test_it_is_told_where_the_door_is_and_reads_its_own_secret_alone(
    syntheses: dict[str, Synthesis], settings: object
) -> None:
    stage = syntheses[getattr(settings, "name", "")]
    assert set(stage.environment(NAME)) == {
        *("GOCHAT_STAGE", "GOCHAT_LOG_LEVEL", "GOCHAT_HTTP_URL"),
        *("GOCHAT_CANARY_SECRET_ARN", "GOCHAT_CANARY_EVERY_MINUTES"),
    }
    (reads,) = [one for one in stage.statements(NAME) if "secretsmanager:GetSecretValue" in one["Action"]]
    assert reads["Resource"] == [stage.environment(NAME)["GOCHAT_CANARY_SECRET_ARN"]]
    key = {"kms:Decrypt"} if stage.resources("AWS::KMS::Key") else set()
    assert stage.actions(NAME) == RUNNING | actions_of("task.canary.handler.handle") | key
    assert "VpcConfig" not in stage.functions()[NAME].properties


def test_nothing_of_its_accounts_stands_in_the_template(prod: Synthesis) -> None:
    (secret,) = [one for one in prod.resources("AWS::SecretsManager::Secret") if one.logical_id == "CanarySecret"]
    assert "SecretString" not in secret.properties
    assert secret.properties["GenerateSecretString"]["PasswordLength"] >= 32
    assert secret.properties["KmsKeyId"]


def test_it_sings_every_few_minutes_in_prod_by_hand_locally_and_never_in_dev(
    local: Synthesis, dev: Synthesis, prod: Synthesis
) -> None:
    assert NAME not in dev.functions()
    for stage, state in ((local, "DISABLED"), (prod, "ENABLED")):
        (schedule,) = [
            one for one in stage.resources("AWS::Scheduler::Schedule") if one.properties["Name"].endswith(f"-{NAME}")
        ]
        assert (schedule.properties["ScheduleExpression"], schedule.properties["State"]) == ("rate(5 minutes)", state)
        assert stage.functions()[NAME].properties["Timeout"] <= 5 * 60


def test_three_runs_without_success_are_an_alarm_and_so_are_no_runs(prod: Synthesis) -> None:
    (alarm,) = [
        one for one in prod.resources("AWS::CloudWatch::Alarm") if one.properties["AlarmName"].endswith("-CanaryFails")
    ]
    told = alarm.properties
    assert (told["MetricName"], told["Statistic"], told["Period"]) == ("CanarySucceeded", "Sum", 5 * 60)
    assert (told["ComparisonOperator"], told["Threshold"], told["EvaluationPeriods"]) == ("LessThanThreshold", 1, 3)
    assert told["TreatMissingData"] == "breaching"
