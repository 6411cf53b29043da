"""Read the Embedded Metric Format: metrics that functions write as log lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One value of one metric."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: dict[str, str]


def measurements(log: str) -> Iterator[Measurement]:
    """Give every value of every EMF line of a log; lines that are none are passed over.

    Source: CloudWatch, "Specification: Embedded metric format".
    """
    for line in log.splitlines():
        if '"CloudWatchMetrics"' in line:
            yield from _line(line)


def _line(line: str) -> Iterator[Measurement]:
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            for metric in directive.get("Metrics", []):
                for value in _values(document.get(metric["Name"])):
                    yield Measurement(
                        namespace=directive["Namespace"],
                        name=metric["Name"],
                        value=value,
                        unit=metric.get("Unit", "None"),
                        dimensions=dimensions,
                    )


def _values(value: Any) -> list[float]:
    values = value if isinstance(value, list) else [value]
    return [float(each) for each in values if isinstance(each, int | float)]
