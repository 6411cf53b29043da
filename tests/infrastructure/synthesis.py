"""Synthesizes a stage as the CDK CLI does, but without network, account and Docker, and reads its templates."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.infrastructure.variants import ALL

ROOT = Path(__file__).resolve().parents[2]

# Synthesizes one stage after the other in one process, because Node's start and the import of CDK are most of the time.
# Python's own sockets are closed too; jsii speaks to Node over pipes.
_PROGRAM = """
import json, socket, sys
def refuse(*_):
    raise AssertionError("the synthesis opened a network connection")
socket.socket.connect = socket.socket.connect_ex = refuse
from aws_cdk import App
from cdk_app.app import build_app, synthesize
from tests.infrastructure.variants import STAGES, VARIANTS
context = json.load(open("cdk.json"))["context"] | {"bundling": "skip"}
def app(name):
    return App(context=context | {"stage": name}, outdir=f"{sys.argv[1]}/{name}", analytics_reporting=False)
for name in STAGES:
    synthesize(app(name))
for name, stage in VARIANTS.items():
    variant = app(name)
    build_app(variant, stage, full=False)
    variant.synth()
"""

_DOCKER = """#!/bin/sh
echo "the synthesis called Docker: $*" >&2
exit 1
"""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    body: dict[str, Any]


@dataclass(frozen=True)
class Synthesis:
    """The cloud assembly of one stage; `stage` is its name, which those share that differ in options alone."""

    stage: str
    folder: Path

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        """The templates by the last word of their stack's name: `Edge`."""
        return {
            path.name.removesuffix(".template.json").rsplit("-", 1)[-1]: json.loads(path.read_text())
            for path in sorted(self.folder.glob("*.template.json"))
        }

    def resources(self, *types: str, stack: str | None = None) -> list[Resource]:
        """List the resources of these types (all, when none is named), in one stack or in all."""
        return [
            resource
            for resource in self._all()
            if resource.type in types or not types
            if stack in (None, resource.stack)
        ]

    def one(self, resource_type: str, stack: str | None = None) -> Resource:
        """Return the only resource of a type."""
        (found,) = self.resources(resource_type, stack=stack)
        return found

    def functions(self) -> dict[str, Resource]:
        """The functions by their names without the stage and the cell: `gateway-websocket`."""
        return {
            resource.properties["FunctionName"].removeprefix(f"gochat-{self.stage}-").removesuffix("-g1"): resource
            for resource in self.resources("AWS::Lambda::Function")
        }

    def called(self, function: str) -> str:
        """The logical id of what a function's callers name: its alias where it has one."""
        resource = self.functions()[function]
        aliases = [
            alias.logical_id
            for alias in self.resources("AWS::Lambda::Alias", stack=resource.stack)
            if alias.properties["FunctionName"] == {"Ref": resource.logical_id}
        ]
        return aliases[0] if aliases else resource.logical_id

    def arn(self, function: str) -> dict[str, Any]:
        """The ARN that a function's callers in its own stack name."""
        called = self.called(function)
        return {"Ref": called} if called != self.functions()[function].logical_id else {"Fn::GetAtt": [called, "Arn"]}

    def environment(self, function: str) -> dict[str, Any]:
        """The environment of a function."""
        variables: dict[str, Any] = self.functions()[function].properties["Environment"]["Variables"]
        return variables

    def statements(self, function: str) -> list[dict[str, Any]]:
        """The statements of a function's role, actions and resources always as lists."""
        function_resource = self.functions()[function]
        role_id = function_resource.properties["Role"]["Fn::GetAtt"][0]
        role = self.templates[function_resource.stack]["Resources"][role_id]
        return [
            {**statement, "Action": _listed(statement["Action"]), "Resource": _listed(statement["Resource"])}
            for policy in role["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def actions(self, function: str) -> set[str]:
        """Every action that a function's role allows."""
        return {action for statement in self.statements(function) for action in statement["Action"]}

    def asset_of(self, function: Resource) -> Path:
        """The folder that is zipped as a function's code."""
        key = function.properties["Code"]["S3Key"].removesuffix(".zip")
        (assets,) = self.folder.glob(f"*-{function.stack}.assets.json")
        return self.folder / str(json.loads(assets.read_text())["files"][key]["source"]["path"])

    def _all(self) -> Iterator[Resource]:
        for stack, template in self.templates.items():
            for logical_id, body in template["Resources"].items():
                yield Resource(
                    stack=stack,
                    logical_id=logical_id,
                    type=body["Type"],
                    properties=body.get("Properties", {}),
                    body=body,
                )


def synthesize(home: Path) -> dict[str, Synthesis]:
    """Synthesize every stage below a folder, without account, network, Docker, wheels and byte code."""
    tools = home / "tools"
    tools.mkdir()
    for name in ("docker", "podman", "finch"):
        (tools / name).write_text(_DOCKER)
        (tools / name).chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    environment |= {
        "NODE_OPTIONS": f"--require {Path(__file__).with_name('no_network.cjs')}",
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", _PROGRAM, str(home)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"the stages do not synthesize:\n{done.stdout}\n{done.stderr}"
    return {name: Synthesis(stage.name, home / name) for name, stage in ALL.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
