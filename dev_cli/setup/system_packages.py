"""Installs programs with the system's package manager: apt-get or brew."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from dev_cli.failure import Failure
from local_stage.supervisor.steps import CommandFailed, StepContext

# A fresh machine often updates itself in its first minutes; of two of our own steps one waits for the other.
WAIT_FOR_OTHERS = "--option=DPkg::Lock::Timeout=300"


@dataclass(frozen=True, kw_only=True)
class SystemPackages:
    """What one program is called by the package managers, and what to tell who must install it by hand."""

    title: str
    debian: tuple[str, ...]
    brew: tuple[str, ...]
    by_hand: str


def ask_for_password(title: str) -> None:
    """Let sudo ask for the password now, where a terminal shows the question: the installation itself has no input."""
    if _needs_sudo() and sys.stdin.isatty():
        print(f"{title} is missing; installing it needs sudo.", file=sys.stderr)
        subprocess.run(["sudo", "--validate"], check=False)


def install(context: StepContext, packages: SystemPackages) -> None:
    """Install the packages; Failure with what to do by hand if this machine has no way that we know."""
    if shutil.which("apt-get"):
        if os.geteuid() != 0 and not shutil.which("sudo"):
            raise Failure(f"installing {packages.title} needs root, and there is no sudo.", advice=packages.by_hand)
        as_root = ["sudo", "-n"] if _needs_sudo() else []
        # The package lists of a fresh machine are empty or old: without them apt-get finds nothing, or what is gone.
        try:
            context.run([*as_root, "apt-get", WAIT_FOR_OTHERS, "update"])
        except CommandFailed as failed:
            context.note(f"{failed}; one broken source need not matter: going on")
        install = ["apt-get", "install", "--yes", "--no-install-recommends", WAIT_FOR_OTHERS, *packages.debian]
        context.run([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", *install])
    elif shutil.which("brew"):
        context.run(["brew", "install", "--quiet", *packages.brew])
    else:
        raise Failure("this machine has neither apt-get nor brew.", advice=packages.by_hand)


def _needs_sudo() -> bool:
    return bool(shutil.which("apt-get")) and os.geteuid() != 0 and bool(shutil.which("sudo"))
