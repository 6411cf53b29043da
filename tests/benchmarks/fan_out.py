# ruff: noqa: T201  # a benchmark prints
"""Measures a post to a connection: our client beside a boto3 loop and boto3 in threads, over TLS, in one run."""

import argparse
import asyncio
import multiprocessing
import multiprocessing.connection
import os
import platform
import resource
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore
from botocore.config import Config

from gochat_aws.connections_api import Call, HttpConnectionsApi, Outcome
from tests.fakes.connections_server import make_certificate

BODY = b'{"event":"message.new","data":{"messages":[' + b"x" * 300 + b"]}}"
CPU_BUDGET = 20
RATE_BUDGET = 100
SLOW_ANSWER_S = 0.010


class _Answering(asyncio.Protocol):
    """Answers every request with an empty 200, after a pause; knows no more of HTTP than that needs."""

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.data.endswith(BODY):
            return
        self.data = b""
        if self.pause_s:
            asyncio.get_running_loop().call_later(self.pause_s, self.answer)
        else:
            self.answer()

    def answer(self) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: 1\r\nContent-Length: 0\r\n\r\n")


def serve(folder: str, pause_s: float, channel: "multiprocessing.connection.Connection[Any, Any]") -> None:
    """Serve TLS in a process of its own, until the other end of `channel` is closed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(Path(folder) / "certificate.pem")

    async def run() -> None:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: _Answering(pause_s), "127.0.0.1", 0, ssl=context, backlog=1024)
        channel.send(listener.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, channel.poll, None)

    asyncio.run(run())


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measured run."""

    cpu_us: float
    rate: float


def measure(posts: int, send: Callable[[int], None]) -> Sample:
    """Send so many posts and return the CPU of each (this process, all threads) and posts a second."""
    cpu_began, began = cpu_seconds(), time.perf_counter()
    send(posts)
    taken_s, cpu_s = time.perf_counter() - began, cpu_seconds() - cpu_began
    return Sample(cpu_us=cpu_s / posts * 1e6, rate=posts / taken_s)


def cpu_seconds() -> float:
    """Return the CPU time of this process, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def connection_id(number: int) -> str:
    """Return an id of the form that API Gateway gives."""
    return f"Lq{number:08d}oAMCJYA="


class Contenders:
    """The same posts, three ways."""

    def __init__(self, port: int, folder: str) -> None:
        endpoint = f"https://127.0.0.1:{port}/bench"
        trusted = ssl.create_default_context(cafile=f"{folder}/certificate.pem")
        self._ours = HttpConnectionsApi(endpoint, region="us-east-1", context=trusted)
        self._boto = boto3.client(
            "apigatewaymanagementapi",
            endpoint_url=endpoint,
            region_name="us-east-1",
            verify=f"{folder}/certificate.pem",
            config=Config(max_pool_connections=64),
        )

    def ours(self, posts: int) -> None:
        """Post with the product's client."""
        calls = [Call(connection_id=connection_id(number), body=BODY) for number in range(posts)]
        replies = self._ours.send_all(calls, timeout_s=60.0)
        assert all(reply.outcome is Outcome.DELIVERED for reply in replies)

    def boto(self, posts: int) -> None:
        """Post with boto3, one after the other."""
        for number in range(posts):
            self._boto.post_to_connection(ConnectionId=connection_id(number), Data=BODY)

    def boto_threads(self, posts: int) -> None:
        """Post with boto3 in 64 threads."""
        with ThreadPoolExecutor(64) as threads:
            list(
                threads.map(
                    lambda n: self._boto.post_to_connection(ConnectionId=connection_id(n), Data=BODY), range(posts)
                )
            )


def show(name: str, samples: list[Sample]) -> tuple[float, float]:
    """Print the medians with their spread; return them."""
    cpu, rate = [s.cpu_us for s in samples], [s.rate for s in samples]
    print(
        f"  {name:<22} CPU {statistics.median(cpu):8.1f} us a post ({min(cpu):.1f} to {max(cpu):.1f})"
        f"   {statistics.median(rate):9,.0f} posts/s ({min(rate):,.0f} to {max(rate):,.0f})"
    )
    return statistics.median(cpu), statistics.median(rate)


def compare(folder: str, pause_s: float, rounds: int, ours: int, theirs: int) -> tuple[float, float, float, float]:
    """Run all contenders in turns against one server; return medians (our CPU, boto3's, our rate, boto3's)."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, pause_s, there), daemon=True)
    process.start()
    contenders = Contenders(here.recv(), folder)
    contenders.ours(200)
    contenders.boto(5)
    samples: dict[str, list[Sample]] = {"gochat": [], "boto3 loop": [], "boto3, 64 threads": []}
    for _ in range(rounds):
        samples["gochat"].append(measure(ours, contenders.ours))
        samples["boto3 loop"].append(measure(theirs, contenders.boto))
        samples["boto3, 64 threads"].append(measure(theirs, contenders.boto_threads))
    process.terminate()
    process.join()
    print(f"answers after {pause_s * 1000:.0f} ms; {ours:,} posts of ours and {theirs:,} of boto3's, {rounds} rounds")
    our_cpu, our_rate = show("gochat", samples["gochat"])
    boto_cpu, boto_rate = show("boto3 loop", samples["boto3 loop"])
    show("boto3, 64 threads", samples["boto3, 64 threads"])
    return our_cpu, boto_cpu, our_rate, boto_rate


def main() -> None:
    """Print both comparisons and how they stand against the budgets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--posts", type=int, default=4_000)
    options = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY="secret", AWS_SESSION_TOKEN="t" * 400)
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{ssl.OPENSSL_VERSION}, boto3 {boto3.__version__}, botocore {botocore.__version__}"
    )
    with tempfile.TemporaryDirectory() as folder:
        make_certificate(Path(folder))
        our_cpu, boto_cpu, _, _ = compare(folder, 0.0, options.rounds, options.posts, options.posts // 10)
        _, _, our_rate, boto_rate = compare(folder, SLOW_ANSWER_S, options.rounds, options.posts, options.posts // 20)
    ratios = (
        (f"CPU: 1/{CPU_BUDGET} of a boto3 loop", boto_cpu / our_cpu, CPU_BUDGET),
        (f"posts/s at 10 ms: {RATE_BUDGET} x a boto3 loop", our_rate / boto_rate, RATE_BUDGET),
    )
    for name, ratio, budget in ratios:
        print(f"{'met   ' if ratio >= budget else 'MISSED'}  {name}: {ratio:.1f}")


if __name__ == "__main__":
    main()
