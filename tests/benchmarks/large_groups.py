# ruff: noqa: T201  # a benchmark prints
"""Measures fan-out to large groups beside one long loop: posts, time to the last member, memory; and who else waits."""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from dev_cli.paths import ROOT
from gochat_aws.kafka_producer import producer_from
from gochat_core.types import ConversationId, UserId
from gochat_repo.mysql import Transaction
from tests.benchmarks import large_groups_parts as parts
from tests.benchmarks import large_groups_stage as stage
from tests.benchmarks.large_groups_stage import BULK, SINGLES, Process, Servers
from tests.benchmarks.plot import Line, write_plot
from tests.fixtures.large_groups import LargeGroup, fan_out_record, insert_group, store_message

SIZES = (100, 1_000, 10_000, 100_000)
ONLINE_EVERY = 5
FAIRNESS_SIZE = 10_000
FAIRNESS_BUDGET = 1.5
BURST_PER_S = 5
"""Messages to the large group: with every fifth member online 10,000 deliveries a second."""

PLOTS = ROOT / "docs" / "benchmarks"

_NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one size of group came to; memory is the most that the process ever held."""

    size: int
    last_s: float
    spread_s: tuple[float, float]
    worker_mib: float
    worker_cpu_us: float
    naive_s: float
    naive_mib: float

    @property
    def posts(self) -> int:
        """How many members are online."""
        return self.size // ONLINE_EVERY


class Lanes:
    """`worker` and the two `deliver`s with their mappings, each a process, each reading its topic from now on."""

    def __init__(
        self,
        servers: Servers,
        endpoints: tuple[str, str],
        *,
        cores: tuple[int | None, int | None] = (None, None),
        in_one_lane: bool = False,
    ) -> None:
        self._servers = servers
        self._producer = producer_from(servers.environ, client_id="bench")
        self.posted, self.away, self._ended = stage.counter(), stage.counter(), stage.event()
        single, bulk = ({**servers.environ, "GOCHAT_CONNECTIONS_ENDPOINT": one} for one in endpoints)
        self._processes = [
            Process(parts.work, dict(servers.environ), cores[1], in_one_lane, self.away, self._ended),
            Process(parts.deliver, bulk, BULK, 20, cores[1], self.posted, self._ended),
            Process(parts.deliver, single, SINGLES, 100, cores[0], self.posted, self._ended),
        ]
        for process in self._processes:
            assert process.hear() == "ready"
        time.sleep(1.0)  # the mappings look up where their topics end

    def tell(self, group: LargeGroup, seqs: Sequence[int]) -> None:
        """Store messages and write the tasks that tell of them."""
        now_ms = int(time.time() * 1000)
        for seq in seqs:
            store_message(self._servers.database, group, seq, at_ms=now_ms, text="x" * 120)
        self._producer.produce([fan_out_record(group, [seq], at_ms=now_ms) for seq in seqs])

    def end(self) -> list[Any]:
        """Stop the processes; return what each says at its end."""
        self._ended.set()
        said = [process.hear() for process in self._processes]
        for process in self._processes:
            process.end()
        self._producer.discard()
        return said


def make_group(servers: Servers, size: int) -> LargeGroup:
    """Make a group of people whom no other group has."""
    number = next(_NUMBERS)
    members = [UserId(number * 1_000_000 + member) for member in range(1, size + 1)]
    now_ms = int(time.time() * 1000)
    return insert_group(
        servers.database, ConversationId(f"{number:032x}"), members, online_every=ONLINE_EVERY, at_ms=now_ms
    )


def measure_size(servers: Servers, endpoint: str, size: int, rounds: int) -> Result:
    """Send messages to a group of one size, one after the other, and once more as a long loop does."""
    group = make_group(servers, size)
    lanes = Lanes(servers, (endpoint, endpoint))
    online = len(group.online)
    taken_s: list[float] = []
    # The first one opens connections and fills the caches.
    for seq in range(1, rounds + 2):
        posted, away = lanes.posted.value + online, lanes.away.value + size - online
        lanes.tell(group, [seq])
        last_s = stage.wait_until(lanes.posted, posted)
        stage.wait_until(lanes.away, away)
        if seq > 1:
            taken_s.append(last_s)
    (worker_mib, cpu_s), *_ = lanes.end()
    loop = Process(parts.loop_naively, dict(servers.environ), endpoint, group.conversation_id)
    naive_s, naive_mib = loop.hear(within_s=600)
    loop.end()
    return Result(
        size=size,
        last_s=statistics.median(taken_s),
        spread_s=(min(taken_s), max(taken_s)),
        worker_mib=worker_mib,
        worker_cpu_us=cpu_s / (rounds + 1) / size * 1e6,
        naive_s=naive_s,
        naive_mib=naive_mib,
    )


def show_sizes(results: Sequence[Result]) -> None:
    """Print a line a size, and draw both plots."""
    for one in results:
        print(
            f"{one.size:>7,} members, {one.posts:>6,} online: last one after {one.last_s:7.3f} s"
            f" ({one.spread_s[0]:.3f} to {one.spread_s[1]:.3f}), {one.posts / one.last_s:7,.0f} posts/s,"
            f" worker {one.worker_mib:4.0f} MiB   loop {one.naive_s:7.2f} s,"
            f" {one.posts / one.naive_s:6,.0f} posts/s, {one.naive_mib:4.0f} MiB   {one.naive_s / one.last_s:5.1f} x"
        )
    bounded = results[-1].worker_mib <= 1.25 * results[1].worker_mib
    print(f"{'met   ' if bounded else 'MISSED'}  memory of a worker does not grow with the group")
    write_plot(
        PLOTS / "large-groups-time.svg",
        title="One message to a group, every fifth member online",
        x="members",
        y="seconds to the last one",
        lines=[
            Line(name="one long loop", points=[(one.size, one.naive_s) for one in results]),
            Line(name="GoChat, one container of each function", points=[(one.size, one.last_s) for one in results]),
        ],
    )
    write_plot(
        PLOTS / "large-groups-memory.svg",
        title="The most memory that a process held",
        x="members",
        y="MiB",
        lines=[
            Line(name="one long loop", points=[(one.size, one.naive_mib) for one in results]),
            Line(name="GoChat, worker", points=[(one.size, one.worker_mib) for one in results]),
        ],
    )


def add_chats(servers: Servers) -> None:
    """Make the people of the single chats, all connected."""
    people = range(1, 2 * parts.CHATS + 1)
    now_ms = int(time.time() * 1000)

    def insert(tx: Transaction) -> None:
        tx.execute_rows(
            "INSERT INTO users (user_id, username, display_name, created_at_ms) VALUES",
            [(one, f"user{one}", f"User {one}", 1) for one in people],
        )
        tx.execute_rows(
            "INSERT INTO connections (user_id, device_id, session_id, cell_id, connection_id, connected_at_ms) VALUES",
            [(one, "phone", 1, "g1", f"single-{one}=", now_ms) for one in people],
        )

    servers.database.transaction(insert)


def measure_fairness(servers: Servers, endpoints: tuple[str, str], seconds: float, *, in_one_lane: bool) -> list[float]:
    """Return the p99 of single messages in ms: while nothing else happens, and during a burst to a large group.

    Single chats have one core, the burst the other one, as functions of their own have their own capacity; MySQL,
    Redis and Kafka serve both.
    """
    group = make_group(servers, FAIRNESS_SIZE)
    lanes = Lanes(servers, endpoints, cores=(0, 1), in_one_lane=in_one_lane)
    lanes.tell(group, [1])
    stage.wait_until(lanes.away, FAIRNESS_SIZE - len(group.online))
    ended = stage.event()
    chats = Process(parts.chat, dict(servers.environ), 0, ended)
    assert chats.hear() == "ready"
    time.sleep(2.0)  # until everything is warm
    phases = [time.time()]
    time.sleep(seconds)
    phases.append(time.time())
    posted, seq = lanes.posted.value, 1
    while (left_s := phases[-1] + seconds - time.time()) > 0:
        lanes.tell(group, range(seq + 1, seq + 1 + BURST_PER_S))
        seq += BURST_PER_S
        time.sleep(min(left_s, 1.0))
    phases.append(time.time())
    posted = lanes.posted.value - posted
    ended.set()
    assert chats.hear() == "ended"
    chats.end()
    latencies_ms: list[tuple[int, int]] = lanes.end()[2][2]
    found = []
    for name, begin, end in (("quiet", phases[0], phases[1]), ("burst", phases[1], phases[2])):
        own = [float(ms) for at_ms, ms in latencies_ms if begin * 1000 <= at_ms < end * 1000]
        cuts = statistics.quantiles(own, n=100, method="inclusive")
        print(f"    {name}: {len(own):4} messages, p50 {cuts[49]:6.1f} ms, p99 {cuts[98]:7.1f} ms")
        found.append(cuts[98])
    print(
        f"    the burst: {seq - 1} messages for {len(group.online):,} who are online, {posted / seconds:,.0f} posts/s"
    )
    return found


def show_fairness(servers: Servers, endpoints: tuple[str, str], seconds: float) -> None:
    """Print what a burst does to single chats, with a lane of its own and without."""
    add_chats(servers)
    print(f"single chats beside a burst to {FAIRNESS_SIZE:,} members; each lane has a core, the stores serve both")
    print("  large groups in a lane of their own")
    quiet, burst = measure_fairness(servers, endpoints, seconds, in_one_lane=False)
    print("  everything in one lane")
    together = measure_fairness(servers, endpoints, seconds, in_one_lane=True)
    ratio = burst / quiet
    print(
        f"{'met   ' if ratio <= FAIRNESS_BUDGET else 'MISSED'}  p99 of single chats at most {FAIRNESS_BUDGET} x:"
        f" {ratio:.2f} (in one lane {together[1] / together[0]:.1f})"
    )


def main() -> None:
    """Print both comparisons, and draw the plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each phase with single chats")
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}; {options.rounds} rounds")
    with stage.running_servers() as servers:
        posts = [Process(stage.serve_posts, str(servers.folder), core) for core in (0, 1)]
        endpoints = posts[0].hear(), posts[1].hear()
        show_sizes([measure_size(servers, endpoints[1], size, options.rounds) for size in options.sizes])
        show_fairness(servers, endpoints, options.seconds)
        for process in posts:
            process.end()


if __name__ == "__main__":
    main()
