"""Feed CloudWatch: metrics from function logs, bounded in memory, and alarms that are looked at every few seconds."""

from __future__ import annotations

import threading
import time
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import cloudwatch

from local_stage.aws.embedded_metrics import measurements
from local_stage.aws.pinned import replace, require

# MiniStack keeps each value of two weeks. A load test would fill the machine; statistics here are of the last ones.
VALUES_A_METRIC = 20_000
EVALUATE_EVERY_S = 5.0

require(cloudwatch, "record_metric", "_alarms", "_evaluate_all_alarms")


def install() -> None:
    """Bound the metrics, and evaluate alarms by the clock and not only when a metric is put."""
    original = cloudwatch._metric_bucket

    def bucket(key: Any) -> list[Any]:
        values: list[Any] = original(key)
        if len(values) > VALUES_A_METRIC:
            del values[: VALUES_A_METRIC // 2]
        return values

    replace(cloudwatch, "_metric_bucket", bucket)
    threading.Thread(target=_evaluate_for_ever, name="alarms", daemon=True).start()


def record_embedded_metrics(log: str) -> None:
    """Record the metrics that an invocation logged, in the account and region of the caller's context."""
    for each in measurements(log):
        cloudwatch.record_metric(each.namespace, each.name, each.value, each.unit, each.dimensions)


def _evaluate_for_ever() -> None:
    while True:
        time.sleep(EVALUATE_EVERY_S)
        for account, region in {(account, region) for (account, region, _), _ in cloudwatch._alarms.all_items()}:
            _request_account_id.set(account)
            _request_region.set(region)
            cloudwatch._evaluate_all_alarms()
