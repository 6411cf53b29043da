"""Reads the stacks of a stage, and moves one of their parameters."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dev_cli.aws.target import Target
from dev_cli.failure import Failure

_POLL_S = 2.0
_UPDATE_DEADLINE_S = 20 * 60.0


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
    """One stack as CloudFormation tells of it."""

    name: str
    status: str
    reason: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    protected: bool = False

    @property
    def settled(self) -> bool:
        """Whether nothing is being done to it."""
        return not self.status.endswith("_IN_PROGRESS")


def deployed_stacks(target: Target) -> list[DeployedStack]:
    """List the stage's stacks, by name; those that are gone are left out."""
    pages = target.client("cloudformation").get_paginator("describe_stacks").paginate()
    stacks = [_read(stack) for page in pages for stack in page["Stacks"]]
    return sorted(
        (one for one in stacks if one.name.startswith(target.stack_prefix) and one.status != "DELETE_COMPLETE"),
        key=lambda stack: stack.name,
    )


def output(target: Target, name: str) -> str:
    """Give an output of the stage's stacks; Failure if none has it."""
    for stack in deployed_stacks(target):
        if name in stack.outputs:
            return stack.outputs[name]
    raise Failure(
        f"no stack of the stage {target.stage.name} has the output {name} in {target.stage.region}.",
        advice=f"Is it deployed? ./dev deploy --stage {target.stage.name}",
    )


def move_parameter(
    target: Target,
    stack: DeployedStack,
    *,
    name: str,
    value: str,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Update a deployed stack with one parameter changed and all else as it is; waits for the end.

    Safe to repeat: a stack that has the value already is left alone. Failure if the update fails.
    """
    if stack.parameters.get(name) == value:
        return
    client = target.client("cloudformation")
    client.update_stack(
        StackName=stack.name,
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": key, **({"ParameterValue": value} if key == name else {"UsePreviousValue": True})}
            for key in stack.parameters
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    deadline = time.monotonic() + _UPDATE_DEADLINE_S
    while True:
        now = _read(client.describe_stacks(StackName=stack.name)["Stacks"][0])
        if now.settled:
            break
        if time.monotonic() > deadline:
            raise Failure(f"the stack {stack.name} is still {now.status}.", advice="Wait for its end, then try again.")
        pause(_POLL_S)
    if now.status != "UPDATE_COMPLETE":
        raise Failure(
            f"the stack {stack.name} could not be updated: {now.status} {now.reason}".rstrip(),
            advice=f"Its events say why: aws cloudformation describe-stack-events --stack-name {stack.name}",
        )


def _read(stack: dict[str, Any]) -> DeployedStack:
    return DeployedStack(
        name=stack["StackName"],
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        outputs={one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])},
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])},
        protected=stack.get("EnableTerminationProtection", False),
    )


def failed_resources(target: Target) -> list[str]:
    """Tell of each stuck stack which resource failed first, and why; the others were only cancelled because of it."""
    client = target.client("cloudformation")
    causes = []
    for stack in deployed_stacks(target):
        if "ROLLBACK" not in stack.status and "FAILED" not in stack.status:
            continue
        events = client.describe_stack_events(StackName=stack.name)["StackEvents"]
        failures = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        # The newest comes first; what matters is the oldest of the last attempt.
        if failures:
            first = failures[-1]
            reason = first.get("ResourceStatusReason", "no reason was given")
            causes.append(f"{stack.name}: {first['LogicalResourceId']} ({first['ResourceType']}): {reason}")
    return causes
