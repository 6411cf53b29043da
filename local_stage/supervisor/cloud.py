"""Synthesizes the app and deploys it to the local AWS with the real CDK CLI."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from local_stage.supervisor.fingerprint import fingerprint
from local_stage.supervisor.options import Options
from local_stage.supervisor.steps import StepContext

ACCOUNT = "000000000000"
REGION = "us-east-1"

# What the templates and the bundles are made from.
_SOURCES = ("cdk_app", "functions", "layers", "cdk.json", "uv.lock", "pyproject.toml")
_SYNTHESES_KEPT = 3
_OUTPUTS = "outputs.json"
_WEBSOCKET_URL = "WebSocketUrl"


def synthesize(context: StepContext, options: Options) -> Path:
    """Give the synthesized local stage, made anew only if a source has changed since."""
    cells = f"{options.gateways}-gateways-" if options.gateways > 1 else ""
    wanted = options.syntheses / f"local-{cells}{fingerprint(_existing(options.root), root=options.root)}"
    if wanted.is_dir():
        context.note(f"Nothing changed: {wanted} is used again.")
        os.utime(wanted)
        return wanted
    # Aside, then renamed: of two stages that start at once each finds a whole synthesis or none.
    aside = options.syntheses / f"making-{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    command = [*options.cdk, "synth", "--quiet", "--context", "stage=local", "--output", str(aside)]
    command += ["--context", f"gateways={options.gateways}"]
    try:
        context.run(command, env=_cdk_environment(options), cwd=options.root)
        aside.rename(wanted)
    except OSError:
        if not wanted.is_dir():  # else another stage was quicker: its synthesis is as good
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _prune(options.syntheses)
    return wanted


def bootstrap(context: StepContext, options: Options, aws_url: str) -> None:
    """Make the bucket and the roles that the CDK deploys through."""
    command = [*options.cdk, "bootstrap", f"aws://{ACCOUNT}/{REGION}"]
    context.run(command, env=_cdk_environment(options, aws_url), cwd=options.run)


def deploy(
    context: StepContext, options: Options, *, synthesis: Path, aws_url: str, parameters: Mapping[str, str]
) -> dict[str, str]:
    """Deploy every stack; each gets those of the parameters that it declares. Give the stacks' outputs by name."""
    outputs = options.run / _OUTPUTS
    command = [*options.cdk, "deploy", "--all", "--app", str(synthesis), "--require-approval=never"]
    command += ["--progress=events", "--method=direct", "--concurrency=4", f"--outputs-file={outputs}"]
    for name, value in parameters_of(synthesis, parameters).items():
        command += ["--parameters", f"{name}={value}"]
    context.run(command, env=_cdk_environment(options, aws_url), cwd=options.run)
    by_stack: dict[str, dict[str, str]] = json.loads(outputs.read_text())
    return {name: value for stack in by_stack.values() for name, value in stack.items()}


def gateways_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """Give the URL of each cell by its id, the first one first, from the outputs of the stacks."""
    named = {name.removeprefix(_WEBSOCKET_URL).lower(): url for name, url in outputs.items() if _WEBSOCKET_URL in name}
    return {suffix or "g1": url for suffix, url in sorted(named.items())}


def parameters_for(services: Mapping[str, str], aws_url: str) -> dict[str, str]:
    """Give the templates' parameters from the addresses in a stage's state."""
    mysql, redis = urlsplit(services["mysql"]), urlsplit(services["redis"])
    return {
        "KafkaBootstrap": services["kafka"],
        "MysqlHost": str(mysql.hostname),
        "MysqlPort": str(mysql.port),
        "RedisHost": str(redis.hostname),
        "RedisPort": str(redis.port),
        "LocalAddress": urlsplit(aws_url).netloc,
    }


def parameters_of(synthesis: Path, parameters: Mapping[str, str]) -> dict[str, str]:
    """Give `Stack:Parameter` with its value for every parameter that a synthesized stack declares and we know."""
    return {
        f"{stack.name}:{name}": parameters[name]
        for stack in stacks_of(synthesis)
        for name in stack.parameters
        if name in parameters
    }


@dataclass(frozen=True, kw_only=True)
class SynthesizedStack:
    """One stack of a cloud assembly."""

    name: str
    parameters: tuple[str, ...]


def stacks_of(synthesis: Path) -> list[SynthesizedStack]:
    """Read the stacks of a cloud assembly, and of the stages nested in it."""
    manifest: dict[str, Any] = json.loads((synthesis / "manifest.json").read_text())
    stacks: list[SynthesizedStack] = []
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "aws:cloudformation:stack":
            template = json.loads((synthesis / properties["templateFile"]).read_text())
            stack_name = properties.get("stackName", name)
            stacks.append(SynthesizedStack(name=stack_name, parameters=tuple(template.get("Parameters", {}))))
        elif artifact["type"] == "cdk:cloud-assembly":
            stacks += stacks_of(synthesis / properties["directoryName"])
    return stacks


def local_credentials(aws_url: str) -> dict[str, str]:
    """Give the variables that lead AWS clients to the local AWS, whatever the user's own settings are."""
    return {
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_ENDPOINT_URL_S3": aws_url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A data- prefix before 127.0.0.1 would be no address.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


def local_environment(aws_url: str | None = None) -> dict[str, str]:
    """Give this process's environment without the user's AWS settings; with a URL, with those of the local AWS."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**ours, "CDK_DISABLE_CLI_TELEMETRY": "true", **(local_credentials(aws_url) if aws_url else {})}


def _cdk_environment(options: Options, aws_url: str | None = None) -> dict[str, str]:
    """Give what the CDK CLI runs in; its scratch files go away with the stage, also when it is killed."""
    scratch = options.run / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    return {**local_environment(aws_url), "TMPDIR": str(scratch)}


def _existing(root: Path) -> list[Path]:
    return [root / source for source in _SOURCES if (root / source).exists()]


def _prune(syntheses: Path) -> None:
    """Keep the latest syntheses, since each holds a copy of every bundle, and none that was cut short."""
    for path in syntheses.glob("making-*"):
        if not psutil.pid_exists(int(path.name.removeprefix("making-"))):
            shutil.rmtree(path, ignore_errors=True)
    made = sorted(syntheses.glob("local-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in made[_SYNTHESES_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
