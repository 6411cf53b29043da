"""Prints estimates: one stage line by line, stages beside each other, or all of it as JSON."""

import json
from collections.abc import Iterator

from dev_cli.cost.estimate import Estimate
from dev_cli.cost.lines import Line
from dev_cli.cost.prices import READ_ON, REGION


def render(estimate: Estimate) -> str:
    """Write one stage's bill."""
    return "\n".join(_lines(estimate))


def _lines(estimate: Estimate) -> Iterator[str]:
    yield f"{estimate.stage}: by being there, a month"
    yield from map(_line, estimate.floor)
    yield _sum("in all", estimate.floor_usd)
    if estimate.floor_awake_usd > estimate.floor_usd:
        yield _sum("if its database never pauses, because somebody is always on", estimate.floor_awake_usd)
    if estimate.usage:
        yield "\nby this use, a month"
        yield from map(_line, estimate.usage)
        yield _sum("in all", estimate.usage_usd)
        yield _sum("floor and use together", estimate.floor_usd + estimate.usage_usd)
    yield "\na million of …, beside the floor"
    for name, usd in estimate.per_million.items():
        yield _sum(name, usd)
    yield ""
    if not all(line.price.verified for line in (*estimate.floor, *estimate.usage)):
        yield "* not verified: look at the price's source before a decision hangs on it."
    yield from _footnotes([estimate])


def render_comparison(estimates: list[Estimate]) -> str:
    """Write stages beside each other, line by line."""
    groups = [_by_group(one) for one in estimates]
    titles = [title for title in dict.fromkeys(GROUPS.values()) if any(title in one for one in groups)]
    lines = ["  ".join([f"{'a month, in US dollars':<44}", *(f"{one.stage:>12}" for one in estimates)])]
    lines += [_row(title, [one.get(title, 0.0) for one in groups]) for title in titles]
    lines.append(_row("in all", [one.floor_usd + one.usage_usd for one in estimates]))
    if any(one.floor_awake_usd > one.floor_usd for one in estimates):
        lines.append(_row("with a database that never pauses", [one.floor_awake_usd for one in estimates]))
    lines.append("\na million of …")
    names = list(estimates[0].per_million)
    lines += [_row(name, [one.per_million[name] for one in estimates]) for name in names]
    return "\n".join([*lines, "", *_footnotes(estimates)])


def to_json(estimates: list[Estimate]) -> str:
    """Write everything, prices with their sources included, for programs."""
    return json.dumps(
        {"currency": "USD", "prices_read_on": READ_ON, "stages": list(map(_to_dict, estimates))}, indent=2
    )


def _to_dict(estimate: Estimate) -> dict[str, object]:
    return {
        "stage": estimate.stage,
        "region": estimate.region,
        "floor_usd": estimate.floor_usd,
        "floor_awake_usd": estimate.floor_awake_usd,
        "usage_usd": estimate.usage_usd,
        "floor": list(map(_line_to_dict, estimate.floor)),
        "usage": list(map(_line_to_dict, estimate.usage)),
        "per_million": estimate.per_million,
    }


def _line_to_dict(line: Line) -> dict[str, object]:
    price = {
        "usd": line.price.usd,
        "per": line.price.per,
        "source": line.price.source,
        "read_on": line.price.read_on,
        "verified": line.price.verified,
    }
    return {"key": line.key, "title": line.title, "quantity": line.quantity, "usd": line.usd, "price": price}


def _by_group(estimate: Estimate) -> dict[str, float]:
    """Add a stage's lines up by what they are for."""
    found: dict[str, float] = {}
    for line in (*estimate.floor, *estimate.usage):
        found[GROUPS[line.key]] = found.get(GROUPS[line.key], 0.0) + line.usd
    return found


GROUPS = {
    "msk-brokers": "Kafka (MSK)",
    "msk-storage": "Kafka (MSK)",
    "msk-data": "Kafka (MSK)",
    "pollers": "Kafka event pollers (Lambda)",
    "aurora-capacity": "MySQL (Aurora)",
    "aurora-io": "MySQL (Aurora)",
    "aurora-storage": "MySQL (Aurora)",
    "rds-proxy": "RDS Proxy",
    "proxy-endpoint": "RDS Proxy",
    "backup-storage": "Backups",
    "cache-storage": "Cache (ElastiCache)",
    "cache-units": "Cache (ElastiCache)",
    "endpoints": "Network",
    "nat": "Network",
    "nat-addresses": "Network",
    "nat-data": "Network",
    "websocket-messages": "WebSocket API",
    "connection-minutes": "WebSocket API",
    "http-requests": "HTTP API",
    "invocations": "Functions",
    "lambda-time": "Functions",
    "schedules": "Functions",
    "sweeps": "Functions",
    "canary": "Functions",
    "queue-polls": "Functions",
    "pushes": "Pushes",
    "file-writes": "Files",
    "file-reads": "Files",
    "file-storage": "Files",
    "data-out": "Data out",
    "logs": "Logs, metrics, traces, alarms",
    "logs-kept": "Logs, metrics, traces, alarms",
    "metrics": "Logs, metrics, traces, alarms",
    "alarms": "Logs, metrics, traces, alarms",
    "dashboards": "Logs, metrics, traces, alarms",
    "traces": "Logs, metrics, traces, alarms",
    "secrets": "Secrets and keys",
    "keys": "Secrets and keys",
    "discovery": "Discovery (Cloud Map)",
}
"""What each line belongs to, in the order in which a reader looks for it."""


def _row(title: str, amounts: list[float]) -> str:
    return "  ".join([f"{title:<44}", *(f"{amount:>12,.2f}" for amount in amounts)])


def _line(line: Line) -> str:
    mark = "" if line.price.verified else " *"
    unit = f"{line.quantity:,.2f} at {line.price.usd:.10g} per {line.price.per}{mark}"
    return f"{line.usd:>12,.2f}  {line.title:<56}  {unit}"


def _sum(title: str, usd: float) -> str:
    return f"{usd:>12,.2f}  {title}"


def _footnotes(estimates: list[Estimate]) -> Iterator[str]:
    yield f"On-demand prices of {REGION} without free tier and taxes, read on {READ_ON} (dev_cli/cost/prices.py)."
    for one in estimates:
        if one.region != REGION:
            yield f"{one.stage} is in {one.region}, where prices differ."
