"""The templates as a whole: valid, complete without an account, and the same each time."""

import json

from cfnlint.api import lint  # type: ignore[import-untyped]  # cfn-lint ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from tests.infrastructure.synthesis import Synthesis

# CDK writes each role into DependsOn beside the reference that implies it.
IGNORED = ["W3005"]


def test_templates_pass_cfn_lint(stage: Synthesis) -> None:
    faults = [
        f"{path.name}: {match}"
        for path in sorted(stage.folder.glob("*.template.json"))
        for match in lint(path.read_text(), config=ManualArgs(ignore_checks=IGNORED, regions=["us-east-1"]))
    ]
    assert faults == []


def test_cfn_lint_would_notice() -> None:
    broken = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"NoSuchProperty": 1}}}}'
    assert lint(broken, config=ManualArgs(ignore_checks=IGNORED, regions=["us-east-1"]))


def test_nothing_has_to_be_looked_up_in_an_account(stage: Synthesis) -> None:
    assert "missing" not in json.loads((stage.folder / "manifest.json").read_text())


def test_no_asset_needs_docker(stage: Synthesis) -> None:
    for path in stage.folder.glob("*.assets.json"):
        assert not json.loads(path.read_text()).get("dockerImages")


def test_resources_are_tagged_with_their_stage(stage: Synthesis) -> None:
    for function in stage.functions().values():
        assert {"Key": "gochat:stage", "Value": stage.stage} in function.properties["Tags"]


def test_stacks_stay_far_from_cloudformation_s_limit(stage: Synthesis) -> None:
    for template in stage.templates.values():
        assert len(template["Resources"]) <= 250, "the limit is 500"
