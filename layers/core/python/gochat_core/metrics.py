"""Metrics in CloudWatch's embedded format: few names, the dimensions `service` and `stage` alone, one line a batch."""

from collections.abc import Mapping, Sequence
from typing import Literal

from aws_lambda_powertools.metrics import EphemeralMetrics

NAMESPACE = "GoChat"

Unit = Literal["Count", "Milliseconds", "Bytes"]

MAX_VALUES = 99
"""Values of one metric in a line. 100 are allowed (CloudWatch user guide, "Embedded metric format specification"); but
at the 100th Powertools writes the line by itself and warns of the empty one that is left."""


class Metrics:
    """Write the metrics of one function; made once per container."""

    def __init__(self, *, service: str, stage: str) -> None:
        self._service = service
        self._stage = stage

    def emit(self, values: Mapping[str, tuple[Unit, float | Sequence[float]]], **properties: str | int) -> None:
        """Write one line: `values` maps a metric's name to its unit and its value, or the values of a batch.

        Of more than 99 values the first 99 are told. `properties` can be searched in the logs but make no dimension.
        Writes nothing when there is no value.
        """
        line = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
        line.add_dimension(name="stage", value=self._stage)
        told = 0
        for name, (unit, value) in values.items():
            for one in value[:MAX_VALUES] if isinstance(value, Sequence) else (value,):
                line.add_metric(name=name, unit=unit, value=one)
                told += 1
        if not told:
            return
        for name, text in properties.items():
            line.add_metadata(key=name, value=text)
        line.flush_metrics()
