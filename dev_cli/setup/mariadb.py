"""Installs MariaDB's server programs with the system's package manager."""

import os
import shutil
import subprocess
import sys

from dev_cli.failure import Failure
from local_stage.services.errors import MissingProgram
from local_stage.services.mysql import find_program
from local_stage.supervisor.steps import CommandFailed, StepContext

# On Debian the core packages carry the programs without the service: nothing of the system's own is started.
DEBIAN_PACKAGES = ("mariadb-server-core", "mariadb-client-core")
# A fresh machine often updates itself in its first minutes.
WAIT_FOR_OTHERS = "--option=DPkg::Lock::Timeout=300"
BREW_FORMULA = "mariadb@10.11"

BY_HAND = (
    "Install MariaDB 10.11 (Debian, Ubuntu: apt-get install mariadb-server-core mariadb-client-core; "
    f"macOS: brew install {BREW_FORMULA}), or name a running server with --mysql HOST:PORT."
)


def is_installed() -> bool:
    """Tell whether the server and its installer are on this machine."""
    try:
        find_program("mariadbd", "mysqld")
        find_program("mariadb-install-db", "mysql_install_db")
    except MissingProgram:
        return False
    return True


def ask_for_password() -> None:
    """Let sudo ask for the password now, where a terminal shows the question: the installation itself has no input."""
    if _needs_sudo() and sys.stdin.isatty():
        print("MariaDB is missing; installing it needs sudo.", file=sys.stderr)
        subprocess.run(["sudo", "--validate"], check=False)


def install(context: StepContext) -> None:
    """Install MariaDB; Failure with what to do by hand if this machine has no way that we know."""
    if shutil.which("apt-get"):
        if os.geteuid() != 0 and not shutil.which("sudo"):
            raise Failure("installing MariaDB needs root, and there is no sudo.", advice=BY_HAND)
        as_root = ["sudo", "-n"] if _needs_sudo() else []
        # The package lists of a fresh machine are empty or old: without them apt-get finds nothing, or what is gone.
        try:
            context.run([*as_root, "apt-get", "update"])
        except CommandFailed as failed:
            context.note(f"{failed}; one broken source need not matter: going on")
        install = ["apt-get", "install", "--yes", "--no-install-recommends", WAIT_FOR_OTHERS, *DEBIAN_PACKAGES]
        context.run([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", *install])
    elif shutil.which("brew"):
        context.run(["brew", "install", "--quiet", BREW_FORMULA])
    else:
        raise Failure("this machine has neither apt-get nor brew.", advice=BY_HAND)


def _needs_sudo() -> bool:
    return bool(shutil.which("apt-get")) and os.geteuid() != 0 and bool(shutil.which("sudo"))
