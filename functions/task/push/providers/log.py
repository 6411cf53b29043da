"""Writes pushes to the log instead of sending them: what a deployment has without Apple, Google or keys."""

from aws_lambda_powertools import Logger

from task.push.providers.provider import Answer, Push, Sent


class LogProvider:
    """One structured line a push, for every kind of token; what is written stays out of it unless `shows_text`."""

    def __init__(self, logger: Logger, *, shows_text: bool) -> None:
        self._logger = logger
        self._shows_text = shows_text

    def service(self, push: Push) -> str:  # noqa: ARG002 - the interface's
        """There is one."""
        return ""

    def send(self, push: Push, *, timeout_s: float) -> Answer:  # noqa: ARG002 - the interface's
        """Write the line."""
        record = push.record
        text = {"title": record.title, "body": record.body} if self._shows_text else {}
        self._logger.info(
            "push",
            extra={
                "user_id": str(record.user_id),
                "device_id": record.device_id,
                "provider": push.provider,
                "conversation_id": record.conversation_id,
                "collapse_id": push.collapse_id,
                "seq": record.seq,
                "count": record.count,
                "kind": record.kind,
                "badge": push.badge,
                "task_id": record.task_id,
                "trace": record.trace,
                **text,
            },
        )
        return Sent()
