"""Knows whether MariaDB's server programs are here, and which packages carry them."""

from dev_cli.setup.system_packages import SystemPackages
from local_stage.services.errors import MissingProgram
from local_stage.services.mysql import find_program

BREW_FORMULA = "mariadb@10.11"

PACKAGES = SystemPackages(
    title="MariaDB",
    # On Debian the core packages carry the programs without the service: nothing of the system's own is started.
    debian=("mariadb-server-core", "mariadb-client-core"),
    brew=(BREW_FORMULA,),
    by_hand=(
        "Install MariaDB 10.11 (Debian, Ubuntu: apt-get install mariadb-server-core mariadb-client-core; "
        f"macOS: brew install {BREW_FORMULA}), or name a running server with --mysql HOST:PORT."
    ),
)


def is_installed() -> bool:
    """Tell whether the server and its installer are on this machine."""
    try:
        find_program("mariadbd", "mysqld")
        find_program("mariadb-install-db", "mysql_install_db")
    except MissingProgram:
        return False
    return True
