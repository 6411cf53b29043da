"""Which function gave a record up: the one that reads its topic."""

from gochat_contracts.records import PUSH_TOPIC, TASK_TOPIC, UPSTREAM_TOPIC

_READERS = {UPSTREAM_TOPIC: "logic-upstream", TASK_TOPIC: "task-worker", PUSH_TOPIC: "task-push"}


def function_of(topic: str) -> str:
    """Name the function that reads a topic; a cell has two, by the traffic of small and of large groups."""
    if topic in _READERS:
        return _READERS[topic]
    return "gateway-deliver-bulk" if topic.startswith("im-downstream-bulk-topic-") else "gateway-deliver"
