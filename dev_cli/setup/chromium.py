"""Finds the Chromium that the tests of the web page drive, and knows which packages carry one."""

import shutil
from pathlib import Path

from dev_cli.failure import Failure
from dev_cli.setup.system_packages import SystemPackages

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)

PACKAGES = SystemPackages(
    title="Chromium",
    debian=("chromium",),
    brew=("--cask", "chromium"),
    by_hand="Install Chromium or Chrome (Debian: apt-get install chromium; macOS: brew install --cask chromium).",
)


def find_chromium() -> Path | None:
    """Give the browser of this machine, or None."""
    on_path = (shutil.which(name) for name in _NAMES)
    found = (*(Path(program) for program in on_path if program), *(path for path in _APPLICATIONS if path.exists()))
    return found[0] if found else None


def chromium() -> Path:
    """Give the browser of this machine; Failure if there is none."""
    found = find_chromium()
    if found is None:
        raise Failure("there is no Chromium on this machine.", advice=PACKAGES.by_hand)
    return found


def is_installed() -> bool:
    """Tell whether there is one."""
    return find_chromium() is not None
