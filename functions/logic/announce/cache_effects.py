"""What an announcement means for the caches: which values it outdates, which it brings. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from gochat_contracts.records import FanOutEvent
from gochat_core.types import ConversationId, Seq
from gochat_repo.cache import Command
from gochat_repo.cached_conversations import MESSAGES, Place
from gochat_repo.cached_kinds import remember_commands, written_commands
from logic.announce.announcement import Announcement, Event

_MUTATIONS = frozenset({"message.recalled", "message.edited", "reaction"})


class _AboutMessage(msgspec.Struct, frozen=True):
    """The part of a mutation's data that says which message it changed."""

    conversation_id: ConversationId
    seq: Seq


_decode_message = msgspec.json.Decoder(_AboutMessage).decode


def plan_cache_effects(announcement: Announcement) -> list[Command]:
    """Return the commands that ride in the pipeline of the announcement, after the commit; safe to repeat.

    Messages are kept for the tasks that follow at once: those of members without a connection, and later of groups.
    Whoever announces again, because somebody died after the commit, does this again too.
    """
    said: list[Event | FanOutEvent] = [
        *announcement.events,
        *(event for one in announcement.fan_outs for event in one.events),
    ]
    changed = set(_changed(said))
    fresh = {
        (one.message.conversation_id, one.message.seq): one.message
        for one in announcement.news
        if (one.message.conversation_id, one.message.seq) not in changed
    }
    return [
        *written_commands(MESSAGES, changed),
        *remember_commands(MESSAGES, fresh),
    ]


def _changed(events: Sequence[Event | FanOutEvent]) -> Iterator[Place]:
    for one in events:
        if one.event in _MUTATIONS:
            about = _decode_message(one.data)
            yield about.conversation_id, about.seq
