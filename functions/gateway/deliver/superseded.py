"""Which events of a batch need not be posted, because a later one to the same connection tells all that they tell."""

from collections.abc import Sequence

import msgspec

from gochat_contracts.records import DownstreamItem

_LAST_ONE_HOLDS = frozenset({"typing", "presence", "receipt", "conversation.updated"})
"""Events that tell how something is now, not what happened to it."""


class _Conversation(msgspec.Struct):
    conversation_id: str = ""


class _Told(msgspec.Struct):
    """What names the thing that an event tells of; marks only grow."""

    conversation_id: str = ""
    user_id: str = ""
    delivered_seq: int = 0
    read_seq: int = 0
    conversation: _Conversation = msgspec.field(default_factory=_Conversation)


_decode = msgspec.json.Decoder(_Told).decode


def find_superseded(items: Sequence[DownstreamItem]) -> set[int]:
    """Return the indexes of the items that a later one of these makes needless. Pure.

    Every event costs a post of its own, and posts to one connection are made one after the other. Receipts may have
    been written out of order by two doors, so one is needless only if both marks of a later one reach as far.
    """
    superseded: set[int] = set()
    later: dict[tuple[str, str, str], _Told] = {}
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if item.event not in _LAST_ONE_HOLDS:
            continue
        try:
            told = _decode(item.data)
        except msgspec.MsgspecError:
            # Written by code that is not ours yet; posted as it is.
            continue
        key = (item.event, told.conversation_id or told.conversation.conversation_id, told.user_id)
        last = later.setdefault(key, told)
        if last is not told and told.delivered_seq <= last.delivered_seq and told.read_seq <= last.read_seq:
            superseded.add(index)
    return superseded
