"""Finds out before a deployment what it would fail of."""

from collections.abc import Callable, Iterator

from dev_cli.aws.errors import told_as_failures
from dev_cli.aws.stacks import deployed_stacks
from dev_cli.aws.target import Target
from dev_cli.deployment import account, examples, offers, quotas, standing
from dev_cli.deployment.findings import Finding
from dev_cli.failure import Failure


def look(target: Target) -> Iterator[Finding]:
    """Yield the findings one by one; without credentials there is nothing more to look at."""
    yield from examples.look_at_examples(target.stage)
    for finding in account.look_at_credentials(target):
        yield finding
        if finding.verdict == "fault":
            return
    with told_as_failures():
        yield from account.look_at_region(target)
        yield from account.look_at_bootstrap(target)
        yield from standing.look_at_stacks(target)
        stacks = deployed_stacks(target)
        yield from standing.look_at_remains(target, stacks)
        if not stacks:
            yield from offers.look_at_offers(target)
        yield from quotas.look_at_quotas(target, deployed=bool(stacks))


def check(target: Target, *, tell: Callable[[str], None]) -> None:
    """Tell every finding; Failure if there is a fault."""
    faults = 0
    for finding in look(target):
        tell(finding.render())
        faults += finding.verdict == "fault"
    if faults:
        raise Failure(
            "the stage can't be deployed like this." if faults == 1 else f"{faults} things are in the way.",
            advice="Mend what is marked FAULT above, then try again: nothing was changed.",
        )
