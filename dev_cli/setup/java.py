"""Knows whether Java and Maven are here, which run and fetch Apache Kafka, and which packages carry them."""

import shutil

from dev_cli.setup.system_packages import SystemPackages

PACKAGES = SystemPackages(
    title="Java and Maven",
    debian=("default-jre-headless", "maven"),
    brew=("openjdk", "maven"),
    by_hand=(
        "Install Java 17 and Maven (Debian, Ubuntu: apt-get install default-jre-headless maven; "
        "macOS: brew install openjdk maven)."
    ),
)


def is_installed() -> bool:
    """Tell whether both are on this machine."""
    return bool(shutil.which("java") and shutil.which("mvn"))
