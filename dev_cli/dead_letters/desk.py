"""Asks task-redrive, which stands where the broker is; by IAM, with the credentials of whoever runs the command."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dev_cli.aws.target import Target
from dev_cli.failure import Failure

AT_ONCE = 200
"""Letters that one request may name (functions/task/redrive/requests.py)."""


class Desk:
    """The function of one stage."""

    def __init__(self, target: Target) -> None:
        self._client = target.client("lambda")
        self._function = f"{target.stage.prefix}-task-redrive"

    def list(self, filters: Mapping[str, object]) -> dict[str, Any]:
        """List the letters that match; Failure if the function can't say."""
        return self._ask({"operation": "list", "filters": filters})

    def show(self, place: str) -> dict[str, Any]:
        """Show one letter with everything; Failure if there is none."""
        return self._ask({"operation": "show", "place": place})

    def redrive(self, places: Sequence[str], *, dry_run: bool, again: bool) -> Sequence[dict[str, Any]]:
        """Bring letters back, as many at once as the function takes; safe to repeat after a Failure."""
        verdicts: Sequence[dict[str, Any]] = []
        for start in range(0, len(places), AT_ONCE):
            asked = {"places": places[start : start + AT_ONCE], "dry_run": dry_run, "again": again}
            verdicts = [*verdicts, *self._ask({"operation": "redrive", **asked})["verdicts"]]
        return verdicts

    def _ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(request).encode())
        told: dict[str, Any] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise Failure(f"{self._function} failed: {told.get('errorMessage')}", advice="Its log tells why.")
        if "error" in told:
            raise Failure(f"{self._function}: {told['error']}.")
        return told
