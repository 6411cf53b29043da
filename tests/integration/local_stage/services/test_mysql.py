import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil
import pymysql
import pytest

from local_stage.services import MissingProgram, MySqlServer, ServiceError, Unreachable, mysql
from local_stage.services.mysql import start_mysql, use_external_mysql

ROOT = Path(__file__).parents[4]


def execute(server: MySqlServer, *statements: str) -> list[tuple[object, ...]]:
    with pymysql.connect(
        host=server.host, port=server.port, user=server.user, ssl_disabled=True, autocommit=True
    ) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "mysql"


def test_committed_rows_survive_a_kill_and_the_port_stays(directory: Path) -> None:
    server = start_mysql(directory)
    port = server.port
    try:
        execute(
            server, "CREATE DATABASE kept", "CREATE TABLE kept.t (id INT PRIMARY KEY)", "INSERT INTO kept.t VALUES (7)"
        )
        server.kill()
        assert server.pid is None
        assert not server.running
        server.restart()
        assert server.port == port
        assert execute(server, "SELECT id FROM kept.t") == [(7,)]
    finally:
        server.stop()


def test_data_of_an_earlier_run_is_found_again(directory: Path) -> None:
    first = start_mysql(directory)
    execute(first, "CREATE DATABASE kept")
    first.stop()
    second = start_mysql(directory)
    try:
        assert ("kept",) in execute(second, "SHOW DATABASES")
    finally:
        second.stop()


def test_a_second_start_copies_a_template_and_is_quick(directory: Path) -> None:
    start_mysql(directory / "first").stop()
    began = time.monotonic()
    server = start_mysql(directory / "second")
    took_s = time.monotonic() - began
    server.stop()
    # 0.3 s on an idle machine; an installation from scratch takes seconds on a busy one.
    assert took_s < 5


def test_it_listens_on_the_loopback_address_alone(mysql_server: MySqlServer) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(mysql_server.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_it_starts_in_a_directory_whose_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    server = start_mysql(tmp_path / ("deep-" * 20) / ("deeper-" * 20))
    server.stop()


def test_several_servers_run_side_by_side(directory: Path) -> None:
    servers = [start_mysql(directory / str(number)) for number in range(2)]
    try:
        assert len({server.port for server in servers}) == 2
        assert all(execute(server, "SELECT 1") == [(1,)] for server in servers)
    finally:
        for server in servers:
            server.stop()


def test_a_paused_server_answers_nobody_until_it_goes_on(directory: Path) -> None:
    server = start_mysql(directory)
    try:
        server.pause()
        with pytest.raises(pymysql.OperationalError):
            pymysql.connect(
                host=server.host, port=server.port, user="root", ssl_disabled=True, connect_timeout=1, read_timeout=1
            )
        server.resume()
        assert execute(server, "SELECT 1") == [(1,)]
    finally:
        server.stop()


def test_a_missing_mariadb_is_named_with_the_ways_to_get_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mysql, "_PROGRAM_DIRS", ())
    with pytest.raises(MissingProgram, match=r"apt-get install mariadb-server.*brew install.*--mysql HOST:PORT"):
        start_mysql(directory)


def test_an_external_server_is_used_and_never_stopped(mysql_server: MySqlServer) -> None:
    external = use_external_mysql(mysql_server.host, mysql_server.port)
    external.stop()
    assert execute(external, "SELECT 1") == [(1,)]
    for action in (external.kill, external.restart, external.pause):
        with pytest.raises(ServiceError, match="external"):
            action()


def test_an_external_server_that_does_not_answer_is_named(free_port: int) -> None:
    with pytest.raises(Unreachable, match=f"127.0.0.1:{free_port}.*leave --mysql away"):
        use_external_mysql("127.0.0.1", free_port)


if sys.platform == "linux" and os.geteuid() == 0:

    def test_a_user_who_is_not_root_can_run_it() -> None:
        """Drop to `nobody` in a child, once all is imported: the interpreter may lie where only root reads."""
        home = Path(tempfile.mkdtemp(prefix="nobody-"))
        home.chmod(0o777)
        code = f"""
            import encodings.idna, os, pathlib
            from local_stage.services.mysql import start_mysql
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
            os.environ["XDG_CACHE_HOME"] = {str(home)!r}
            server = start_mysql(pathlib.Path({str(home)!r}) / "state")
            print("runs as", os.geteuid())
            server.stop()
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        shutil.rmtree(home)
        assert done.stdout == "runs as 65534\n", done.stderr
