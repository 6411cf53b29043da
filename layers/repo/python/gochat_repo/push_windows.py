"""Storms: at most one push of a conversation sounds within a few seconds; the others only replace what it shows."""

from collections.abc import Mapping

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.cache import Cache, CacheUnavailable, command

WINDOW_MS = 5_000

Place = tuple[ConversationId, UserId]


def claim_windows(cache: Cache, pushes: Mapping[Place, tuple[Seq, Seq]]) -> set[Place]:
    """Return whose push may sound, in one round trip: the first of each window, again if the same one comes again.

    Each push is named by the first and the last message it tells of. One that comes again may tell of more: a worker
    that died has claimed the window for some of it, and perhaps told nobody. Without Redis all may: a sound too many is
    better than none.
    """
    places = list(pushes)
    keys = [f"push_window:{{{user_id}:{conversation_id}}}" for conversation_id, user_id in places]
    claims = [
        command("SET", key, pushes[place][1], "NX", "PX", WINDOW_MS) for key, place in zip(keys, places, strict=True)
    ]
    try:
        replies = cache.run([*claims, *(command("GET", key) for key in keys)])
    except CacheUnavailable:
        return set(places)
    holders = replies[len(places) :]
    return {
        place
        for place, holder in zip(places, holders, strict=True)
        # A window that ended between the two commands is nobody's.
        if holder is None or pushes[place][0] <= int(holder) <= pushes[place][1]
    }
