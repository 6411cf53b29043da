"""Which pages of a fan-out are done, so that one that comes again is passed over; kept in Redis alone."""

from collections.abc import Iterable, Sequence

from gochat_repo.cache import Cache, CacheUnavailable, command

KEPT_S = 600
"""Longer than a record comes again after: an invocation's timeout, and what the mapping waits in between."""

Page = tuple[str, int]
"""The name of a fan-out's cut, and the number of the page."""


def find_done(cache: Cache, pages: Sequence[Page]) -> set[Page]:
    """Return which of these pages are done, in one round trip; without Redis none, and done work is done again."""
    try:
        replies = cache.run([command("GETBIT", _key(cut), page) for cut, page in pages])
    except CacheUnavailable:
        return set()
    return {page for page, reply in zip(pages, replies, strict=True) if reply}


def mark_done(cache: Cache, pages: Iterable[Page]) -> None:
    """Note, in one round trip, that the broker holds all that these pages have to say."""
    commands = []
    for cut, page in pages:
        commands += [command("SETBIT", _key(cut), page, 1), command("EXPIRE", _key(cut), KEPT_S)]
    try:
        cache.run(commands)
    except CacheUnavailable:
        return


def _key(cut: str) -> str:
    return f"fan_out_done:{cut}"
