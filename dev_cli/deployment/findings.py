"""What a preflight finds: each thing it looked at, how it is, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing; a `fault` stops the deployment, a `warning` is for the reader to judge."""

    verdict: Verdict
    what: str
    advice: str = ""

    def render(self) -> str:
        """Write it in one line, and what to do in the next."""
        mark = {"ok": "ok", "warning": "look", "fault": "FAULT"}[self.verdict]
        advice = f"\n       {self.advice}" if self.advice else ""
        return f"{mark:<7}{self.what}{advice}"


def good(what: str) -> Finding:
    """Tell of something that is as it should be."""
    return Finding(verdict="ok", what=what)


def doubtful(what: str, advice: str) -> Finding:
    """Tell of something that may matter."""
    return Finding(verdict="warning", what=what, advice=advice)


def wrong(what: str, advice: str) -> Finding:
    """Tell of something that the deployment would fail of."""
    return Finding(verdict="fault", what=what, advice=advice)
