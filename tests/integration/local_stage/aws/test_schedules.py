"""Schedules of the local AWS run their functions, and on time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .conftest import LocalAws

IN_S = 2


def test_a_schedule_invokes_its_function_within_a_second_or_two_of_its_time(aws: LocalAws, tmp_path: Path) -> None:
    """EventBridge Scheduler user guide, "Schedule types": a schedule's target is invoked when its time comes."""
    told = tmp_path / "told"
    source = f"import time\ndef handler(event, context): open({str(told)!r}, 'w').write(str(time.time()))\n"
    arn = aws.create_function("scheduled", source)
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=IN_S)
    aws.client("scheduler").create_schedule(
        Name="scheduled",
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": "arn:aws:iam::000000000000:role/schedule"},
    )
    deadline = time.monotonic() + 20
    while not told.exists() or not told.read_text():
        assert time.monotonic() < deadline, "the function did not run"
        time.sleep(0.05)
    assert 0 <= float(told.read_text()) - at.timestamp() < 4
