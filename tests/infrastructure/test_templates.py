"""The templates as a whole: valid, complete without an account, and the same each time."""

import json
from concurrent.futures import ProcessPoolExecutor

from cfnlint.api import lint  # type: ignore[import-untyped]  # cfn-lint ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from tests.infrastructure.synthesis import Synthesis

# CDK writes each role into DependsOn beside the reference that implies it.
IGNORED = ["W3005"]


def test_templates_pass_cfn_lint(syntheses: dict[str, Synthesis]) -> None:
    # Options leave most stacks as they are: each text is read once.
    texts = {
        path.read_text(): f"{name}/{path.name}"
        for name, variant in reversed(syntheses.items())
        for path in sorted(variant.folder.glob("*.template.json"))
    }
    with ProcessPoolExecutor() as pool:
        faults = [fault for found in pool.map(_faults, texts.values(), texts.keys()) for fault in found]
    assert faults == []


def _faults(name: str, text: str) -> list[str]:
    return [f"{name}: {match}" for match in lint(text, config=ManualArgs(ignore_checks=IGNORED, regions=["us-east-1"]))]


def test_cfn_lint_would_notice() -> None:
    broken = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"NoSuchProperty": 1}}}}'
    assert lint(broken, config=ManualArgs(ignore_checks=IGNORED, regions=["us-east-1"]))


def test_nothing_has_to_be_looked_up_in_an_account(variant: Synthesis) -> None:
    assert "missing" not in json.loads((variant.folder / "manifest.json").read_text())


def test_no_asset_needs_docker(variant: Synthesis) -> None:
    for path in variant.folder.glob("*.assets.json"):
        assert not json.loads(path.read_text()).get("dockerImages")


def test_resources_are_tagged_with_their_stage(variant: Synthesis) -> None:
    for function in variant.functions().values():
        assert {"Key": "gochat:stage", "Value": variant.stage} in function.properties["Tags"]


def test_stacks_stay_far_from_cloudformation_s_limit(variant: Synthesis) -> None:
    for template in variant.templates.values():
        assert len(template["Resources"]) <= 250, "the limit is 500"
