"""What `./dev dead-letters` asks for and is answered."""

from typing import Literal

import msgspec

MAX_PLACES = 200
"""Letters that one request may name: the CLI asks as often as it must."""

MAX_LISTED = 1_000


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters; None: any. Times are when the record was given up."""

    since_ms: int = 0
    until_ms: int | None = None
    topic: str | None = None
    reason: str | None = None
    function: str | None = None


class ListLetters(msgspec.Struct, frozen=True, kw_only=True, tag_field="operation", tag="list"):
    """List letters without what anybody wrote, oldest first."""

    filters: Filters = Filters()
    limit: int = MAX_LISTED


class ShowLetter(msgspec.Struct, frozen=True, kw_only=True, tag_field="operation", tag="show"):
    """Show one letter as it came."""

    place: str


class RedriveLetters(msgspec.Struct, frozen=True, kw_only=True, tag_field="operation", tag="redrive"):
    """Bring letters back, or say what would be: `again` also those that were brought back before."""

    places: list[str]
    dry_run: bool = True
    again: bool = False


Request = ListLetters | ShowLetter | RedriveLetters


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A letter in the list; `why_not` says why it may not go back, `expires_at_ms` when it is gone."""

    place: str
    failed_at_ms: int
    expires_at_ms: int
    function: str
    topic: str
    reason: str
    key: str
    bytes: int
    why_not: str | None
    redriven_at_ms: int | None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The letters that were asked for; `matched` counts them all, `complete` is False if the topic holds more."""

    letters: list[Listed]
    matched: int
    unreadable: int
    complete: bool


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One letter with everything; key, value and headers in base64."""

    listed: Listed
    partition: int
    offset: int
    detail: str
    raw_key: str | None
    value: str | None
    headers: dict[str, str]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one letter, or would: `already` was brought back before, `refused` may not go back."""

    place: str
    outcome: Literal["redriven", "ready", "already", "refused", "missing"]
    why: str = ""


class Redriven(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each letter, in the order asked."""

    verdicts: list[Verdict]


Answer = Listing | Shown | Redriven
