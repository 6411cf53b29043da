"""How pushes reach the world: by the log, or through the platform applications that a stage names."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from cdk_app import app as gochat
from cdk_app import bundling, stages
from tests.infrastructure.synthesis import Synthesis

FCM = "arn:aws:sns:us-east-1:000000000000:app/GCM/gochat"


def test_by_default_pushes_are_lines_of_the_log_that_show_their_text_on_the_local_stage_alone(stage: Synthesis) -> None:
    environment = stage.environment("task-push")
    assert not {name for name in environment if name.endswith("_APPLICATION")}
    assert environment["GOCHAT_PUSH_LOG_TEXT"] == str(stage.stage == "local").lower()
    assert not {action for action in stage.actions("task-push") if action.startswith("sns:")}


def test_a_stage_with_platform_applications_may_publish_to_their_endpoints_and_no_other(tmp_path: Path) -> None:
    stage = dataclasses.replace(stages.DEV, push_applications=(("fcm", FCM),))
    app = App(outdir=str(tmp_path), context=json.loads((bundling.ROOT / "cdk.json").read_text())["context"])
    gochat.build_app(app, stage, full=False)
    app.synth()
    services: Any = app.node.find_child(gochat.stack_name(stage, "Services"))
    resources = Template.from_stack(services).to_json()["Resources"].values()
    (function,) = [
        one["Properties"]
        for one in resources
        if one["Type"] == "AWS::Lambda::Function" and one["Properties"].get("Handler") == "task.push.handler.handle"
    ]
    assert function["Environment"]["Variables"]["GOCHAT_PUSH_FCM_APPLICATION"] == FCM
    granted = [
        (statement["Action"], statement["Resource"])
        for one in resources
        if one["Type"] == "AWS::IAM::Role"
        for policy in one["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "sns:" in str(statement["Action"])
    ]
    assert granted == [
        ("sns:CreatePlatformEndpoint", FCM),
        (["sns:DeleteEndpoint", "sns:Publish"], [FCM, "arn:aws:sns:us-east-1:000000000000:endpoint/GCM/gochat/*"]),
    ]
