"""How pushes reach the world: by the log, or through the platform applications that a stage names."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from cdk_app import app as gochat
from cdk_app import bundling, stages
from cdk_app.settings import Stage
from gochat_core.metrics import NAMESPACE
from tests.infrastructure.synthesis import Synthesis

FCM = "arn:aws:sns:us-east-1:000000000000:app/GCM/gochat"


def test_by_default_pushes_are_lines_of_the_log_that_show_their_text_on_the_local_stage_alone(stage: Synthesis) -> None:
    environment = stage.environment("task-push")
    assert not {name for name in environment if name.endswith("_APPLICATION")}
    assert environment["GOCHAT_PUSH_LOG_TEXT"] == str(stage.stage == "local").lower()
    assert not [right for right in stage.statements("task-push") if "sns:" in str(right) or "Vapid" in str(right)]


def test_browsers_can_subscribe_before_anybody_pushes_to_them(stage: Synthesis) -> None:
    secret = stage.environment("logic-rpc")["GOCHAT_VAPID_PUBLIC_KEY"]
    assert secret["Fn::GetAtt"][0].startswith("VapidKey")
    assert secret["Fn::GetAtt"][1] == "PublicKey"


def _services(stage: Stage, folder: Path) -> list[Any]:
    """Return the resources of the Services stack."""
    app = App(outdir=str(folder), context=json.loads((bundling.ROOT / "cdk.json").read_text())["context"])
    gochat.build_app(app, stage, full=False)
    app.synth()
    services: Any = app.node.find_child(gochat.stack_name(stage, "Services"))
    return list(Template.from_stack(services).to_json()["Resources"].values())


def _pusher(resources: list[Any]) -> tuple[dict[str, Any], list[Any]]:
    """Return the sender's environment, and what its role may do with providers."""
    (function,) = [
        one["Properties"]
        for one in resources
        if one["Type"] == "AWS::Lambda::Function" and one["Properties"].get("Handler") == "task.push.handler.handle"
    ]
    (role,) = [
        one["Properties"]
        for one in resources
        if one["Type"] == "AWS::IAM::Role" and "TaskPush" in json.dumps(one["Properties"])
    ]
    statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    environment: dict[str, Any] = function["Environment"]["Variables"]
    return environment, [
        (one["Action"], one["Resource"])
        for one in statements
        if "sns:" in str(one["Action"]) or "secretsmanager:" in str(one["Action"])
    ]


def test_a_stage_with_a_contact_pushes_to_browsers_with_its_own_key_and_reads_no_other(tmp_path: Path) -> None:
    stage = dataclasses.replace(stages.DEV, web_push_contact="mailto:ops@example.org")
    environment, granted = _pusher(_services(stage, tmp_path))
    assert environment["GOCHAT_PUSH_WEB_CONTACT"] == "mailto:ops@example.org"
    secret = environment["GOCHAT_PUSH_VAPID_SECRET_ARN"]
    assert secret["Fn::GetAtt"][0].startswith("VapidSecret")
    assert granted == [("secretsmanager:GetSecretValue", secret)]


def test_a_stage_with_platform_applications_may_publish_to_their_endpoints_and_no_other(tmp_path: Path) -> None:
    stage = dataclasses.replace(stages.DEV, push_applications=(("fcm", FCM),))
    environment, granted = _pusher(_services(stage, tmp_path))
    assert environment["GOCHAT_PUSH_FCM_APPLICATION"] == FCM
    assert granted == [
        ("sns:CreatePlatformEndpoint", FCM),
        (["sns:DeleteEndpoint", "sns:Publish"], [FCM, "arn:aws:sns:us-east-1:000000000000:endpoint/GCM/gochat/*"]),
    ]


def test_alarms_look_at_what_the_sender_measures(managed_stage: Synthesis) -> None:
    """A name that nobody writes would keep quiet for ever."""
    handler = (bundling.ROOT / "functions" / "task" / "push" / "handler.py").read_text()
    alarms = [one for one in managed_stage.resources("AWS::CloudWatch::Alarm") if one.logical_id.startswith("Pushes")]
    assert len(alarms) == 3
    metrics = [
        (metric.get("MetricStat", {}).get("Metric") or metric)
        for alarm in alarms
        for metric in alarm.properties.get("Metrics", [alarm.properties])
        if "Expression" not in metric
    ]
    assert {one["MetricName"] for one in metrics} == {"PushSent", "PushFailed", "PushDeferred", "PushLatency"}
    assert 'f"Push{name.capitalize()}"' in handler
    assert '"PushLatency"' in handler
    for metric in metrics:
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        assert dimensions == {"service": "task-push", "stage": managed_stage.stage}
        assert metric["Namespace"] == NAMESPACE
