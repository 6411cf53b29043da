# ruff: noqa: T201  # a benchmark prints
"""Measures one message from the sender's frame to the recipient's, through the local stage that is running."""

import argparse
import os
import platform
import statistics
import threading
import time
import uuid

from dev_cli.stage import serving_stage
from tests.flows.stock_client import DEADLINE_S, Frame, Person, Socket, text_message

P50_BUDGET_MS = 150.0
P99_BUDGET_MS = 400.0
WARM_UP = 10
PACE_S = 0.06
"""Between messages: a user may send 20 frames a second."""


def measure_idle(sender: Socket, receiver: Socket, to: str, count: int) -> tuple[list[float], list[float]]:
    """Send one message at a time; return the milliseconds until its `ack`, and until the recipient has it."""
    acks: list[float] = []
    arrivals: list[float] = []
    for number in range(count + WARM_UP):
        data = text_message(f"message {number}", to=to)
        arrived = threading.Event()
        at: list[float] = []

        def watch(
            wanted: str = data["client_msg_id"], at: list[float] = at, arrived: threading.Event = arrived
        ) -> None:
            receiver.wait(lambda frame: _holds(frame, wanted))
            at.append(time.perf_counter())
            arrived.set()

        threading.Thread(target=watch, daemon=True).start()
        began = time.perf_counter()
        answer = sender.call("message.send", data)
        acked = time.perf_counter()
        assert answer["event"] == "ack", answer
        assert arrived.wait(DEADLINE_S), "the message did not arrive"
        if number >= WARM_UP:
            acks.append((acked - began) * 1000)
            arrivals.append((at[0] - began) * 1000)
        threading.Event().wait(PACE_S)
    return acks, arrivals


def _holds(frame: Frame, client_msg_id: str) -> bool:
    return frame.get("event") == "message.new" and any(
        message["client_msg_id"] == client_msg_id for message in frame["data"]["messages"]
    )


def show(name: str, samples_ms: list[float]) -> tuple[float, float]:
    """Print a distribution; return its p50 and p99."""
    cuts = statistics.quantiles(samples_ms, n=100, method="inclusive")
    print(
        f"  {name:<24} p50 {cuts[49]:6.1f} ms   p90 {cuts[89]:6.1f}   p99 {cuts[98]:6.1f}"
        f"   ({min(samples_ms):.1f} to {max(samples_ms):.1f}, {len(samples_ms)} messages)"
    )
    return cuts[49], cuts[98]


def main() -> None:
    """Print both latencies and how they stand against the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    options = parser.parse_args()
    serving = serving_stage()
    assert serving.http_url
    assert serving.websocket_url
    alice, bob = (Person(serving.http_url, serving.websocket_url, name).register() for name in ("alice", "bob"))
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, run {uuid.uuid4().hex[:6]}"
    )
    with alice.connect() as at_alice, bob.connect() as at_bob:
        acks, arrivals = measure_idle(at_alice, at_bob, bob.user_id, options.messages)
    show("frame to ack", acks)
    p50, p99 = show("frame to recipient", arrivals)
    for name, figure, budget in (("p50", p50, P50_BUDGET_MS), ("p99", p99, P99_BUDGET_MS)):
        print(f"{'met   ' if figure <= budget else 'MISSED'}  {name} {figure:.1f} ms, budget {budget:.0f} ms")


if __name__ == "__main__":
    main()
