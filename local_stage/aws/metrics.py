"""Turn the Embedded Metric Format lines that functions log into CloudWatch metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ministack.services import cloudwatch

from local_stage.aws.pinned import require

require(cloudwatch, "record_metric")


def record_embedded_metrics(log: str) -> None:
    """Record every metric of every EMF line of a log; lines that are no EMF are left alone.

    Source: CloudWatch, "Specification: Embedded metric format".
    """
    for line in log.splitlines():
        if '"CloudWatchMetrics"' in line:
            for namespace, name, value, unit, dimensions in embedded_metrics(line):
                cloudwatch.record_metric(namespace, name, value, unit, dimensions)


def embedded_metrics(line: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """Give (namespace, name, value, unit, dimensions) for each value of each metric in one EMF line."""
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for dimension_names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in dimension_names if name in document}
            for metric in directive.get("Metrics", []):
                for value in _values(document.get(metric["Name"])):
                    yield directive["Namespace"], metric["Name"], value, metric.get("Unit", "None"), dimensions


def _values(value: Any) -> list[float]:
    values = value if isinstance(value, list) else [value]
    return [float(each) for each in values if isinstance(each, int | float)]
