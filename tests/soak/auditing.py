"""Asks the stage's own loss audit at the end of a soak, and reads what it found while people talked."""

import json
import time
from typing import Any

from tests.fixtures.stage import Stage
from tests.soak.tally import Tally

FUNCTION = "repo-audit"
WITHIN_S = 240.0
"""What was left unannounced by the last fault is announced by a sweep, a minute later, and by the one behind it."""
PAUSE_S = 5.0


def hear_audit(stage: Stage, tally: Tally, *, since_ms: int) -> None:
    """Audit until all is whole or the time is over, and count what the audit told since the soak began."""
    deadline = time.monotonic() + WITHIN_S
    while not (is_whole := _is_whole(answer := _audit(stage))) and time.monotonic() < deadline:
        time.sleep(PAUSE_S)
    if not is_whole:
        tally.problem("audit", f"the loss audit ends with {answer}")
    for line in stage.log_lines(FUNCTION, since_ms=since_ms):
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if not isinstance(told, dict):
            continue
        if told.get("message") == "duty done":
            tally.audited["conversations"] += told.get("AuditedConversations", 0)
            tally.audited["messages"] += told.get("AuditedMessages", 0)
        elif told.get("message") == "audit finding":
            tally.audited["findings"] += 1
            # What waits for the broker to come back is late and no loss; the last audit must not find it any more.
            if told["fault"] != "unannounced":
                tally.problem("audit", f"{told['fault']} in {told['conversation_id']}: {line.strip()}")


def _audit(stage: Stage) -> dict[str, Any]:
    invoked = stage.aws("lambda").invoke(FunctionName=f"gochat-local-{FUNCTION}", Payload=b"{}")
    answer: dict[str, Any] = json.loads(invoked["Payload"].read())
    return answer


def _is_whole(answer: dict[str, Any]) -> bool:
    """Tell whether both duties came to their end, and found nothing."""
    duties = (answer.get("conversations"), answer.get("announcements"))
    return answer.get("failed") == [] and all(duty is not None and duty["AuditFindings"] == 0 for duty in duties)
