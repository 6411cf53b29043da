"""Reading logs of the local AWS that are longer than one of its answers."""

import time

from local_stage.supervisor.function_logs import FunctionLogs
from tests.integration.local_stage.aws.conftest import LocalAws


def test_a_log_longer_than_one_answer_is_read_to_its_end(aws: LocalAws) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/chatty")
    logs.create_log_stream(logGroupName="/aws/lambda/chatty", logStreamName="process")
    began_ms = int(time.time() * 1000)
    for batch in range(3):
        events = [
            # Three lines each millisecond: where an answer ends, lines of one time stand on both sides.
            {"timestamp": began_ms + (batch * 4_000 + number) // 3, "message": f"line {batch * 4_000 + number}"}
            for number in range(4_000)
        ]
        logs.put_log_events(logGroupName="/aws/lambda/chatty", logStreamName="process", logEvents=events)

    read = FunctionLogs(aws.endpoint_url)

    assert [line.text for line in read.lines(["chatty"])] == [f"line {number}" for number in range(12_000)]
    assert len(read.lines(["chatty"], since_ms=began_ms + 3_000)) == 3_000
