"""Runs the CDK CLI for a stage on AWS: synthesizes once, shows what would change, deploys exactly that."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dev_cli.aws.stacks import failed_resources
from dev_cli.aws.target import Target
from dev_cli.failure import Failure
from dev_cli.paths import ROOT, STATE
from dev_cli.setup.cdk import cdk_command, cdk_environment

# Stacks that don't wait for each other are made at the same time: the broker takes half an hour, so does nothing else.
_CONCURRENCY = 3


@dataclass(frozen=True, kw_only=True)
class CloudDeployment:
    """One deployment of a stage; its synthesis lies in a folder of its own."""

    target: Target

    @property
    def _synthesis(self) -> Path:
        return STATE / "deployments" / self.target.stage.name

    @property
    def _outputs(self) -> Path:
        return STATE / "deployments" / f"{self.target.stage.name}-outputs.json"

    def bootstrap(self, account: str) -> None:
        """Give the CDK its place in the account and region; safe to repeat."""
        if self._cdk("bootstrap", f"aws://{account}/{self.target.stage.region}"):
            raise Failure("the CDK could not be bootstrapped; the lines above say why.")

    def synthesize(self) -> None:
        """Make templates and packages. In `prod` a warning is a failure."""
        name = self.target.stage.name
        words = ["synth", "--quiet", "--context", f"stage={name}", "--output", str(self._synthesis)]
        if self._cdk(*words, *(["--strict"] if name == "prod" else [])):
            raise Failure(f"the stage {name} could not be synthesized; the lines above say why.")

    def show_difference(self) -> None:
        """Print what would change, rights first; it compares templates, so that looking changes nothing."""
        if self._cdk("diff", "--all", "--app", str(self._synthesis), "--method", "template"):
            raise Failure("what would change could not be worked out; the lines above say why.")

    def deploy(self) -> dict[str, str]:
        """Deploy every stack and give their outputs; Failure names the resources that could not be made, and why."""
        words = ["deploy", "--all", "--app", str(self._synthesis), "--require-approval", "never"]
        words += ["--concurrency", str(_CONCURRENCY), "--progress", "events", "--outputs-file", str(self._outputs)]
        if self.target.stage.keep:
            # Log groups that a destroyed stage has kept are taken over (CloudFormation user guide, "Import AWS
            # resources into a CloudFormation stack automatically": what has a fixed name and is to be retained).
            words.append("--import-existing-resources")
        if self._cdk(*words):
            name = self.target.stage.name
            causes = "\n".join(f"         {cause}" for cause in failed_resources(self.target))
            raise Failure(
                f"the stage {name} could not be deployed." + (f" What failed first:\n{causes}" if causes else ""),
                advice=f"Mend the cause, then ./dev deploy --stage {name}: it goes on where it was. What to do about "
                "which cause stands in docs/deploy.md, “When it fails”.",
            )
        by_stack: dict[str, dict[str, str]] = json.loads(self._outputs.read_text())
        return {name: value for stack in by_stack.values() for name, value in stack.items()}

    def _cdk(self, *words: str) -> int:
        self._synthesis.parent.mkdir(parents=True, exist_ok=True)
        return subprocess.run([*cdk_command(), *words], cwd=ROOT, env=cdk_environment(), check=False).returncode
