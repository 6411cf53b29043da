"""Starts MariaDB, set up to come as close to Aurora MySQL 3 as it goes, or names an external MySQL server."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pymysql

from local_stage.services.cache import cache_dir
from local_stage.services.errors import DidNotStart, MissingProgram, Unreachable
from local_stage.services.ports import LOOPBACK, start_on_free_port
from local_stage.services.process import ServerProcess
from local_stage.services.service import Service

USER = "root"
_READY_TIMEOUT_S = 60.0
_EXTERNAL_TIMEOUT_S = 10.0

# Debian puts the daemon into sbin, which a user's PATH lacks; Homebrew keeps versioned formulas off the PATH.
_PROGRAM_DIRS = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/opt/mariadb@10.11/bin",
    "/opt/homebrew/opt/mariadb/bin",
    "/usr/local/opt/mariadb@10.11/bin",
    "/usr/local/opt/mariadb/bin",
    "/home/linuxbrew/.linuxbrew/opt/mariadb@10.11/bin",
    "/home/linuxbrew/.linuxbrew/opt/mariadb/bin",
)

_SQL_MODE = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"  # the default of MySQL 8 and of Aurora's parameter group
)
_LIKE_AURORA = (
    f"--sql-mode={_SQL_MODE}",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_bin",
    "--transaction-isolation=READ-COMMITTED",
    "--default-time-zone=+00:00",
    "--innodb-autoinc-lock-mode=2",
    "--innodb-flush-log-at-trx-commit=1",  # a commit survives a killed server, or no test of durability means anything
    "--skip-log-bin",
)
_SMALL = (
    "--innodb-log-file-size=16M",
    "--innodb-buffer-pool-size=64M",
    "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=1M",
    "--performance-schema=OFF",
    "--max-connections=300",
)
_INSTALL_OPTIONS = ("--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=16M")


@dataclass(frozen=True, kw_only=True)
class MySqlServer(Service):
    """Hold a running MySQL-compatible server; user `root` has no password, and TLS is off."""

    user: str = USER

    @property
    def url(self) -> str:
        """The address as `mysql://root@host:port/`."""
        return f"mysql://{self.user}@{self.address}/"


def start_mysql(directory: Path) -> MySqlServer:
    """Start MariaDB with its data in `directory`, which may hold data of an earlier run; wait until it answers.

    A first start on a machine takes about 1.2 s, later ones copy a cached template and take 0.3 s. Raises
    MissingProgram or DidNotStart.
    """
    daemon = find_program("mariadbd", "mysqld")
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / "data"
    if not data.exists():
        _copy_template(_ensure_template(daemon), data)
    return start_on_free_port(lambda port: _start(daemon, directory, port))


def use_external_mysql(host: str, port: int) -> MySqlServer:
    """Return an external server after it has answered; Unreachable if it does not."""
    refusal = _refusal(host, port, timeout_s=_EXTERNAL_TIMEOUT_S)
    if refusal:
        raise Unreachable(
            f"No MySQL at {host}:{port} lets user root in without a password ({refusal}). "
            "Start it there, or leave --mysql away to run an embedded one."
        )
    return MySqlServer(host=host, port=port, wait_ready=lambda: None)


def find_program(*names: str) -> Path:
    """Return the first of these programs in PATH or where Debian and Homebrew put MariaDB; MissingProgram if none."""
    for name in names:
        found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(_PROGRAM_DIRS))
        if found:
            return Path(found)
    raise MissingProgram(
        f"MariaDB is missing ({names[0]} is not on this machine). Install it with `apt-get install mariadb-server` "
        "(Debian, Ubuntu) or `brew install mariadb@10.11` (macOS), or name a running server with --mysql HOST:PORT."
    )


def _start(daemon: Path, directory: Path, port: int) -> MySqlServer:
    data = (directory / "data").resolve()
    temporary = directory.resolve() / "tmp"
    temporary.mkdir(exist_ok=True)
    argv = [
        str(daemon),
        "--no-defaults",
        *_as_root(),
        f"--datadir={data}",
        f"--tmpdir={temporary}",  # in a shared one, a server that starts deletes the temporary tables of the others
        "--socket=mysql.sock",  # relative to the data directory: a path of any depth stays below the 107 bytes allowed
        f"--pid-file={data / 'mysql.pid'}",
        f"--bind-address={LOOPBACK}",
        f"--port={port}",
        "--skip-name-resolve",
        *_LIKE_AURORA,
        *_SMALL,
    ]
    process = ServerProcess("MySQL", argv, directory)

    def wait_ready() -> None:
        process.wait_until(lambda: _answers(port, data), timeout_s=_READY_TIMEOUT_S)

    process.start()
    wait_ready()
    return MySqlServer(host=LOOPBACK, port=port, process=process, wait_ready=wait_ready)


def _answers(port: int, data: Path) -> bool:
    """Say whether our server answers: another one on this port would name another data directory."""
    try:
        with pymysql.connect(
            host=LOOPBACK, port=port, user=USER, ssl_disabled=True, connect_timeout=2, read_timeout=2
        ) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT @@datadir")
            row = cursor.fetchone()
    except (pymysql.MySQLError, OSError):
        return False
    return row is not None and Path(str(row[0])) == data


def _refusal(host: str, port: int, *, timeout_s: float) -> str | None:
    try:
        with pymysql.connect(
            host=host, port=port, user=USER, ssl_disabled=True, connect_timeout=int(timeout_s)
        ) as connection:
            connection.cursor().execute("SELECT 1")
    except (pymysql.MySQLError, OSError) as error:
        return str(error)
    return None


def _as_root() -> list[str]:
    return [f"--user={USER}"] if os.geteuid() == 0 else []


def _ensure_template(daemon: Path) -> Path:
    """Return a data directory as a fresh installation makes it, from the cache if this version was there before."""
    version = subprocess.run([str(daemon), "--no-defaults", "--version"], capture_output=True, text=True, check=True)
    facts = "\n".join([version.stdout, str(daemon), *_INSTALL_OPTIONS])
    key = hashlib.sha256(facts.encode()).hexdigest()[:16]
    template = cache_dir() / "mysql-template" / key
    if template.is_dir():
        return template
    template.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=template.parent, prefix="making-") as scratch:
        made = Path(scratch) / "data"
        _install(daemon, made)
        # Two starts may race: a rename is atomic, and the loser uses the winner's.
        try:
            made.rename(template)
        except OSError:
            if not template.is_dir():
                raise
    return template


def _install(daemon: Path, data: Path) -> None:
    installer = find_program("mariadb-install-db", "mysql_install_db")
    # Debian's script finds its files by itself; Homebrew's needs to be told where the formula lives.
    basedir = [] if daemon.is_relative_to("/usr/sbin") else [f"--basedir={daemon.resolve().parent.parent}"]
    done = subprocess.run(
        [str(installer), "--no-defaults", *_as_root(), *basedir, f"--datadir={data}", *_INSTALL_OPTIONS],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DidNotStart(f"{installer} could not make a data directory:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _copy_template(template: Path, data: Path) -> None:
    """Copy aside, then rename: a start that is interrupted leaves no half a data directory behind."""
    aside = data.with_name("data.copying")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(template, aside)
    aside.rename(data)
