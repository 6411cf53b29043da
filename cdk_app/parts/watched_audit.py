"""What is watched of the loss audit: what it finds, and that it can look."""

from collections.abc import Iterator

from cdk_app.parts.alarms import Watch, own_metric
from cdk_app.settings import Stage

SERVICE = "repo-audit"
RUNBOOK = "what-is-stored-does-not-add-up"


def watch_audit(stage: Stage) -> Iterator[Watch]:
    """Say when something does not add up, or when the audit does not come to its end."""
    yield Watch(
        name="AuditFindings",
        metric=own_metric("AuditFindings", SERVICE, stage.name, statistic="Maximum"),
        threshold=1,
        periods=1,
        meaning="What is stored does not add up: the log of repo-audit names each conversation and what is wrong with "
        "it, every minute until it is mended.",
        runbook=RUNBOOK,
    )
    yield Watch(
        name="RepoAuditDuties",
        metric=own_metric("DutyFailed", SERVICE, stage.name),
        threshold=stage.thresholds.duties_failed,
        periods=2,
        meaning="The loss audit fails again and again: losses would not be noticed.",
        runbook=RUNBOOK,
    )
