"""What runs by the clock: which functions, how often, where it is switched off."""

from tests.infrastructure.synthesis import Resource, Synthesis

SWEEPS = {"gateway-sweep", "gateway-prober", "logic-sweep", "task-sweep", "repo-audit"}


def _scheduled(stage: Synthesis) -> dict[str, Resource]:
    """The sweeps; the canary's schedule is in test_canary.py."""
    names = {function.logical_id: name for name, function in stage.functions().items()}
    return {
        names[schedule.properties["Target"]["Arn"]["Fn::GetAtt"][0]]: schedule
        for schedule in stage.resources("AWS::Scheduler::Schedule")
        if not schedule.properties["Name"].endswith("-task-canary")
    }


def test_every_sweep_runs_once_a_minute(stage: Synthesis) -> None:
    scheduled = _scheduled(stage)
    assert set(scheduled) == SWEEPS
    for schedule in scheduled.values():
        assert schedule.properties["ScheduleExpression"] == "rate(1 minute)"
        assert schedule.properties["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_a_run_that_failed_is_not_repeated(stage: Synthesis) -> None:
    for schedule in _scheduled(stage).values():
        assert schedule.properties["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0


def test_sweeps_are_off_where_an_idle_stage_is_to_cost_little(
    local: Synthesis, dev: Synthesis, prod: Synthesis
) -> None:
    for stage, state in ((local, "ENABLED"), (dev, "DISABLED"), (prod, "ENABLED")):
        assert {schedule.properties["State"] for schedule in _scheduled(stage).values()} == {state}, stage.stage


def test_the_audit_rests_where_a_stage_has_its_sweeps_on_and_the_audit_off(syntheses: dict[str, Synthesis]) -> None:
    states = {name: one.properties["State"] for name, one in _scheduled(syntheses["two-cells"]).items()}
    assert states.pop("repo-audit") == "DISABLED"
    assert set(states.values()) == {"ENABLED"}


def test_a_schedule_may_invoke_its_function_alone_and_is_lent_to_this_account_alone(stage: Synthesis) -> None:
    for name, schedule in _scheduled(stage).items():
        role_id = schedule.properties["Target"]["RoleArn"]["Fn::GetAtt"][0]
        role = stage.templates[schedule.stack]["Resources"][role_id]["Properties"]
        (policy,) = role["Policies"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Action"], statement["Resource"]) == (
            "lambda:InvokeFunction",
            {"Fn::GetAtt": [stage.functions()[name].logical_id, "Arn"]},
        )
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_a_sweep_is_over_before_the_next_one_begins(stage: Synthesis) -> None:
    for name in SWEEPS:
        assert stage.functions()[name].properties["Timeout"] <= 60


def test_messages_are_kept_for_ever_unless_a_stage_says_otherwise(stage: Synthesis) -> None:
    assert stage.environment("task-sweep")["GOCHAT_MESSAGE_RETENTION_DAYS"] == "0"
