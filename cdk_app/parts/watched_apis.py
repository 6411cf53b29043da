"""What is watched of API Gateway: faults that no function has seen, because the APIs never got that far.

These alarms stand beside the APIs: API Gateway tells its metrics by the API's id, which other stacks would have to
import.
"""

from collections.abc import Iterator

from aws_cdk import Duration, Stack

from cdk_app.parts.alarms import Watch, aws_metric, computed, declare_alarm
from cdk_app.settings import Stage

FEWEST_FAILURES = 10
"""In five minutes: below so many a share says nothing."""

_DAY = Duration.days(1)


def watch_http_api(stack: Stack, stage: Stage, api_id: str) -> None:
    """Declare the alarms of the HTTP API (API Gateway developer guide, "Monitor CloudWatch metrics for HTTP APIs")."""
    if stage.alarms == "all" and not stage.on_emulator:
        for watch in _of_http(stage, {"ApiId": api_id}):
            declare_alarm(stack, stage, watch)


def watch_websocket_api(stack: Stack, stage: Stage, title: str, api_id: str) -> None:
    """Declare the alarms of a cell (same guide, "Monitor WebSocket API execution with CloudWatch metrics")."""
    if stage.alarms == "all" and not stage.on_emulator:
        for watch in _of_websocket(stage, title, {"ApiId": api_id, "Stage": stage.name}):
            declare_alarm(stack, stage, watch)


def watch_certificate(stack: Stack, stage: Stage) -> None:
    """Declare the alarm of the certificate of a stage with names of its own."""
    if not stage.domains or stage.on_emulator:
        return
    watch = Watch(
        name="CertificateEnds",
        metric=aws_metric(
            "CertificateManager",
            "DaysToExpiry",
            {"CertificateArn": stage.domains.certificate_arn},
            statistic="Minimum",
            # Told twice a day (ACM user guide, "Supported CloudWatch metrics").
            period=_DAY,
        ),
        threshold=stage.thresholds.certificate_days,
        periods=1,
        meaning="The certificate ends soon and was not renewed: clients will refuse to connect.",
        runbook="the-certificate-ends",
        below=True,
    )
    declare_alarm(stack, stage, watch)


def _of_http(stage: Stage, api: dict[str, str]) -> Iterator[Watch]:
    counts = {
        "failed": aws_metric("ApiGateway", "5xx", api, statistic="Sum"),
        "requests": aws_metric("ApiGateway", "Count", api, statistic="Sum"),
    }
    yield Watch(
        name="RequestsFail",
        metric=computed(
            "requests that fail, percent", f"IF(failed >= {FEWEST_FAILURES}, 100 * failed / requests, 0)", counts
        ),
        threshold=stage.thresholds.rest_failed_percent,
        periods=2,
        meaning="REST answers 5xx: from the functions, or from API Gateway because none answered.",
        runbook="rest-fails",
    )
    yield Watch(
        name="RequestsLate",
        metric=aws_metric("ApiGateway", "Latency", api, statistic="p99"),
        threshold=stage.thresholds.rest_late_ms,
        periods=3,
        meaning="REST answers seconds late.",
        runbook="rest-is-slow",
    )


def _of_websocket(stage: Stage, title: str, api: dict[str, str]) -> Iterator[Watch]:
    faults = {
        "refused": aws_metric("ApiGateway", "IntegrationError", api, statistic="Sum"),
        "unanswered": aws_metric("ApiGateway", "ExecutionError", api, statistic="Sum"),
    }
    yield Watch(
        name=f"{title}Fails",
        # Where only one of them is told, the other was none.
        metric=computed("faults", "FILL(refused, 0) + FILL(unanswered, 0)", faults),
        threshold=stage.thresholds.frames_failed,
        periods=2,
        meaning="Handshakes and frames of this cell fail: its function refuses them, or can't be called.",
        runbook="a-cell-fails",
    )
    yield Watch(
        name=f"{title}Refuses",
        metric=aws_metric("ApiGateway", "ClientError", api, statistic="Sum"),
        threshold=stage.thresholds.frames_refused,
        periods=2,
        meaning="API Gateway refuses what clients send to this cell: throttled, too large, or without a good token.",
        runbook="a-cell-refuses",
    )
