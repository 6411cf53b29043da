# ruff: noqa: T201  # a benchmark prints
"""Measures how much CPU a function costs before its first event: imports and wiring, beside an eager twin of it."""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dev_cli.paths import ROOT

_KAFKA = "import kafka.net.compat, kafka.producer.kafka\n"
"""What the first produce imports; part of the price of a start, since every frame and batch produces."""

_EAGER = """
import argon2, grpc, jwt, kafka, pymysql, redis, boto3
for name in ("apigatewaymanagementapi", "lambda", "secretsmanager"):
    boto3.client(name, region_name="us-east-1", endpoint_url="https://127.0.0.1:1")
"""
"""What a code base imports that has one module of shared clients, made when it is imported."""


@dataclass(frozen=True, kw_only=True)
class Hot:
    """A function that starts while somebody waits."""

    name: str
    start: str
    budget_ms: int


FUNCTIONS = (
    Hot(
        name="gateway-authorize",
        start="from gateway.authorize import handler\nhandler.wiring()\n",
        budget_ms=400,
    ),
    Hot(
        name="gateway-websocket",
        start="from gateway.websocket import handler\nhandler.wiring()\n" + _KAFKA,
        budget_ms=400,
    ),
    Hot(
        name="gateway-deliver",
        start="from gateway.deliver import handler\nhandler.wiring()\n",
        budget_ms=250,
    ),
    Hot(
        name="logic-upstream",
        start="import logic.upstream.handler\nfrom logic.upstream.wiring import wire\nwire()\n" + _KAFKA,
        budget_ms=400,
    ),
)

_MEASURE = """
import sys, time
began = time.process_time()
if {deferred!r}:
    from gochat_aws.kafka_producer import defer_parts
    defer_parts()
{code}
sys.stdout.write(str((time.process_time() - began) * 1000))
"""

_JWKS = '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'


def environment() -> dict[str, str]:
    """Return what the deployment would set; nothing of it is connected to."""
    roots = [".", "functions", *(f"layers/{name}/python" for name in ("core", "contracts", "aws", "repo", "client"))]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / root) for root in roots),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GOCHAT_STAGE": "bench",
        "GOCHAT_CELL_ID": "g1",
        "GOCHAT_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "GOCHAT_MYSQL_HOST": "127.0.0.1",
        "GOCHAT_MYSQL_PORT": "1",
        "GOCHAT_MYSQL_USER": "root",
        "GOCHAT_MYSQL_DATABASE": "gochat",
        "GOCHAT_REDIS_HOST": "127.0.0.1",
        "GOCHAT_REDIS_PORT": "1",
        "GOCHAT_PARTIAL_BATCH": "true",
        "GOCHAT_TOKEN_PUBLIC_KEYS": _JWKS,
        "GOCHAT_CONNECTIONS_ENDPOINT": "https://127.0.0.1:1/bench",
        "GOCHAT_WEBSOCKET_FUNCTION": "gateway-websocket",
    }


def cpu_ms(code: str, *, deferred: bool, compiled: Path | None) -> float:
    """Run code in an interpreter of its own and return its CPU time.

    `compiled` is where .pyc files are kept from one run to the next; without it every module is compiled again. Those
    of this machine are left alone: an environment that writes none (PYTHONDONTWRITEBYTECODE, packages that were
    installed uncompiled) would make every start pay for the compiler, which no bundle does.
    """
    env = environment()
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as nothing:
        env["PYTHONPYCACHEPREFIX"] = str(compiled or nothing)
        program = _MEASURE.format(code=code, deferred=deferred)
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    return float(done.stdout)


def spread(samples: list[float]) -> str:
    """Write the median with the least and the most."""
    return f"{statistics.median(samples):6.0f} ms ({min(samples):.0f} to {max(samples):.0f})"


def main() -> None:
    """Print each function's start as it is, eager, and without compiled files, and how it stands against its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"CPU of imports and wiring, median of {rounds}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for function in FUNCTIONS:
            measure(function, rounds, Path(folder))


def measure(function: Hot, rounds: int, compiled: Path) -> None:
    """Print one function's line, after runs that only compile."""
    variants = {"ours": (function.start, True), "eager": (_EAGER + function.start, False)}
    samples: dict[str, list[float]] = {name: [] for name in variants}
    for code, deferred in variants.values():
        cpu_ms(code, deferred=deferred, compiled=compiled)
    for _ in range(rounds):
        for name, (code, deferred) in variants.items():
            samples[name].append(cpu_ms(code, deferred=deferred, compiled=compiled))
    bare = cpu_ms(function.start, deferred=True, compiled=None)
    median, twin = (statistics.median(samples[name]) for name in variants)
    met = median <= function.budget_ms and median <= twin / 2
    print(f"{function.name:<18} {spread(samples['ours'])}   eager {spread(samples['eager'])}", end="")
    print(f"   not compiled {bare:6.0f} ms   {'met   ' if met else 'MISSED'}", end="")
    print(f"  at most {function.budget_ms} ms and half the eager one")


if __name__ == "__main__":
    main()
