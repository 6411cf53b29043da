"""Writes dead letters for a terminal."""

import json
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_OUTCOMES = {
    "redriven": "brought back",
    "ready": "would be brought back",
    "already": "brought back before",
    "refused": "stays",
    "missing": "there is no such letter",
}


def listing(answer: Mapping[str, Any]) -> str:
    """Write a list: a line a letter, then what the reader must know of all of them."""
    lines = [_line(one) for one in answer["letters"]]
    reasons = Counter(f"{one['reason']} by {one['function']}" for one in answer["letters"])
    lines.append(f"{answer['matched']} dead letters" + "".join(f"; {count} {what}" for what, count in reasons.items()))
    if answer["matched"] > len(answer["letters"]):
        lines.append(f"The first {len(answer['letters'])} are shown: ask for a shorter time by --since and --until.")
    if not answer["complete"]:
        lines.append("The topic holds more than was read: ask for a later --since.")
    if answer["unreadable"]:
        lines.append(f"{answer['unreadable']} records of the topic are no dead letters of GoChat.")
    return "\n".join(lines)


def letter(shown: Mapping[str, Any]) -> str:
    """Write one letter with everything; it holds what somebody wrote."""
    one = shown["listed"]
    told = {
        "letter": one["place"],
        "given up": f"{_moment(one['failed_at_ms'])} by {one['function']}, gone {_moment(one['expires_at_ms'])}",
        "reason": f"{one['reason']}: {shown['detail']}",
        "from": f"{one['topic']}, partition {shown['partition']}, offset {shown['offset']}",
        "redrive": _state(one),
        "key": one["key"],
        **{f"header {name}": _text(value) for name, value in shown["headers"].items()},
    }
    return "\n".join([*(f"{name:<16}{value}" for name, value in told.items()), _pretty(shown["value"])])


def verdicts(found: Sequence[Mapping[str, Any]], *, dry_run: bool) -> str:
    """Write what became of letters, or would."""
    lines = [f"{one['place']:<12}{_OUTCOMES[one['outcome']]}{_why(one)}" for one in found]
    counts = Counter(str(one["outcome"]) for one in found)
    lines.append("; ".join(f"{count} {_OUTCOMES[outcome]}" for outcome, count in counts.items()) or "no dead letters")
    if dry_run and counts["ready"]:
        lines.append("Nothing was done: --yes does it.")
    if counts["already"]:
        lines.append("--again brings back what was brought back before.")
    return "\n".join(lines)


def _line(one: Mapping[str, Any]) -> str:
    left_h = max(0, one["expires_at_ms"] - time.time() * 1000) / 3_600_000
    left = f"{left_h / 24:.1f} d left" if left_h >= 24 else f"{left_h:.0f} h left"
    return (
        f"{one['place']:<12}{_moment(one['failed_at_ms'])}  {left:<10}  {one['function']:<20}  {one['reason']:<12}  "
        f"{one['bytes']:>7} B  {one['key']}  {_state(one)}"
    )


def _state(one: Mapping[str, Any]) -> str:
    if one["redriven_at_ms"] is not None:
        return f"brought back {_moment(one['redriven_at_ms'])}"
    return f"stays: {one['why_not']}" if one["why_not"] else "may go back"


def _why(one: Mapping[str, Any]) -> str:
    if one["outcome"] == "already":
        return f", {_moment(int(one['why']))}"
    if one["outcome"] in ("ready", "redriven"):
        return f" to {one['why']}"
    return f": {one['why']}" if one["why"] else ""


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _text(base64: str | None) -> str:
    return b64decode(base64 or "").decode("utf-8", "backslashreplace")


def _pretty(value: str | None) -> str:
    text = _text(value)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
