"""What `iam` means on the wire: TLS with the server's name verified, and a token in the place of a password."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hiredis
import pytest

from gochat_core.errors import Unavailable
from gochat_repo.cache import Cache, CacheUnavailable, RedisSettings, command
from gochat_repo.mysql import Database
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import find_program, start_mysql
from local_stage.services.ports import pick_free_port
from local_stage.services.process import ServerProcess
from tests.fakes.connections_server import make_certificate
from tests.integration.repo.conftest import wait_until


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("tls")
    serving, _ = make_certificate(folder)
    return folder / "certificate.pem", serving


@pytest.fixture(scope="module")
def tls_mysql(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, ssl.SSLContext]) -> Iterator[int]:
    """Run a server that has a certificate for 127.0.0.1 and wants a password."""
    folder = tmp_path_factory.mktemp("mysql")
    start_mysql(folder).stop()
    own = folder / "certificate.pem"
    shutil.copyfile(certificate[0], own)
    port = pick_free_port()
    grants = folder / "grants.sql"
    grants.write_text(
        "CREATE USER 'gochat'@'%' IDENTIFIED BY 'token' REQUIRE SSL;\nGRANT ALL ON *.* TO 'gochat'@'%';\n"
    )
    process = ServerProcess(
        "MySQL with TLS",
        [
            str(find_program("mariadbd", "mysqld")),
            "--no-defaults",
            "--user=root",
            f"--datadir={folder / 'data'}",
            "--socket=mysql.sock",
            "--bind-address=127.0.0.1",
            f"--port={port}",
            "--skip-name-resolve",
            "--innodb-log-file-size=16M",
            f"--ssl-cert={own}",
            f"--ssl-key={own}",
            f"--init-file={grants}",
        ],
        folder,
    )
    process.start()
    wait_until(lambda: _listens(port))
    yield port
    process.stop()


def tls_settings(port: int, ca_file: str | None, *, host: str = "127.0.0.1") -> MySqlSettings:
    return MySqlSettings(
        mysql_host=host,
        mysql_port=port,
        mysql_user="gochat",
        mysql_database="mysql",
        mysql_auth="iam",
        mysql_ca_file=ca_file,
    )


def cipher(database: Database) -> Any:
    return database.read(lambda tx: tx.query("SHOW STATUS LIKE 'Ssl_cipher'"))[0][1]


def test_mysql_is_reached_by_tls_with_a_fresh_password_for_each_session(
    tls_mysql: int, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    asked: list[str] = []

    def password(host: str) -> str:
        asked.append(host)
        return "token"

    database = Database(tls_settings(tls_mysql, str(certificate[0])), password=password)
    assert cipher(database)
    database.close()
    assert cipher(database)
    assert asked == ["127.0.0.1", "127.0.0.1"]
    database.close()


def test_a_mysql_whose_certificate_nobody_vouches_for_gets_no_password(tls_mysql: int) -> None:
    database = Database(tls_settings(tls_mysql, None), password=lambda _: "token")
    with pytest.raises(Unavailable) as raised:
        cipher(database)
    assert "CERTIFICATE_VERIFY_FAILED" in str(raised.value.__cause__)


def test_a_mysql_that_is_named_otherwise_gets_no_password(
    tls_mysql: int, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    database = Database(tls_settings(tls_mysql, str(certificate[0]), host="localhost"), password=lambda _: "token")
    with pytest.raises(Unavailable) as raised:
        cipher(database)
    assert "CERTIFICATE_VERIFY_FAILED" in str(raised.value.__cause__)


class TlsRedis:
    """A cluster of one node behind TLS that lets in whoever knows the token of the moment; serves one slot map."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.token = b"first"
        self.logins: list[tuple[bytes, bytes]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def current_token(self) -> str:
        return self.token.decode()

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        reader = hiredis.Reader()
        with plain:
            try:
                with self.context.wrap_socket(plain, server_side=True) as connection:
                    while data := connection.recv(4096):
                        reader.feed(data)
                        while (asked := reader.gets()) is not False:
                            connection.sendall(self._answer(asked))
            except OSError:
                return

    def _answer(self, asked: list[bytes]) -> bytes:
        if asked[0] == b"AUTH":
            self.logins.append((asked[1], asked[2]))
            return b"+OK\r\n" if asked[2] == self.token else b"-WRONGPASS no\r\n"
        if asked[:2] == [b"CLUSTER", b"SLOTS"]:
            # An empty host: the address that was asked.
            return b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$0\r\n\r\n:%d\r\n$2\r\nid\r\n" % self.port
        return b"$5\r\nvalue\r\n"


@pytest.fixture
def tls_redis(certificate: tuple[Path, ssl.SSLContext]) -> Iterator[TlsRedis]:
    server = TlsRedis(certificate[1])
    yield server
    server.close()


def redis_with_tls(server: TlsRedis) -> RedisSettings:
    return RedisSettings(
        redis_host="127.0.0.1",
        redis_port=server.port,
        redis_auth="iam",
        redis_user="gochat",
        redis_cache_name="gochat",
        redis_connect_timeout_s=2.0,
        redis_read_timeout_s=2.0,
    )


def test_redis_is_reached_by_tls_with_a_fresh_token_for_each_connection(
    tls_redis: TlsRedis, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    cache = Cache(redis_with_tls(tls_redis), password=tls_redis.current_token)
    assert cache.run([command("GET", "key")]) == [b"value"]
    cache.close()
    tls_redis.token = b"second"
    assert cache.run([command("GET", "key")]) == [b"value"]
    assert tls_redis.logins == [(b"gochat", b"first"), (b"gochat", b"second")]
    cache.close()


def test_a_redis_that_refuses_the_token_is_unavailable(
    tls_redis: TlsRedis, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    cache = Cache(redis_with_tls(tls_redis), password=lambda: "stale")
    with pytest.raises(CacheUnavailable):
        cache.run([command("GET", "key")])


def test_a_redis_whose_certificate_nobody_vouches_for_gets_no_token(tls_redis: TlsRedis) -> None:
    cache = Cache(redis_with_tls(tls_redis), password=lambda: "first")
    with pytest.raises(CacheUnavailable):
        cache.run([command("GET", "key")])
    assert tls_redis.logins == []


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
