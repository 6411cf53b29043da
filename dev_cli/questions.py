"""Asks the user before something is changed."""

import sys

from dev_cli.failure import Failure


def confirm(question: str, *, word: str) -> None:
    """Go on only if the user types this word; Failure otherwise, also where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise Failure("nothing was changed: there is nobody to ask.", advice="--yes goes on without asking.")
    if input(f"{question} Type {word} to go on: ").strip() != word:
        raise Failure("nothing was changed.")
