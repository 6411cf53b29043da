"""Posts the lanes of a batch and judges the outcome: what was delivered, who is dead, which records must come again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.deliver.lanes import Frame, Lane, Placed, event_body, missed_messages
from gochat_aws.connections_api import Call, ConnectionsApi, Outcome, Reply
from gochat_contracts.records import MissedBy

YOUNG_MS = 10_000
"""How long after its opening a connection may answer 410 because its `$connect` has not returned."""

SEND_TIMEOUT_S = 20.0
ENDING_TIMEOUT_S = 10.0
"""The rounds one after the other, posts, then endings of two kinds, leave the reports a third of the 60 s after which
this function is stopped."""

_FOR_LATER = (Outcome.RETRY_LATER, Outcome.REFUSED)
"""REFUSED (403) means that this function may not post: the deployment's fault, and no reason to drop a message."""


@dataclass(frozen=True, kw_only=True)
class Dead:
    """A connection to report, with the places of the records whose items it missed."""

    missed_by: MissedBy
    records: frozenset[int]


@dataclass(kw_only=True)
class Verdict:
    """What became of a batch; `failed` are the places of records that must come again."""

    failed: set[int] = field(default_factory=set)
    dead: list[Dead] = field(default_factory=list)
    delivered: list[tuple[Placed, int]] = field(default_factory=list)
    """Each delivered item with the time of its post's answer, ms since 1970."""
    posts: Counter[str] = field(default_factory=Counter)


def deliver_lanes(api: ConnectionsApi, lanes: Sequence[Lane]) -> Verdict:
    """Post everything, then end the connections that are to be ended; never raises for what a connection answers."""
    verdict = Verdict()
    living = [lane for lane in lanes if not lane.overdue]
    probes = _post_items(api, living, verdict)
    _end_connections(api, [lane for lane in living if lane.ending is not None], probes, verdict)
    _give_up(api, [lane for lane in lanes if lane.overdue], verdict)
    return verdict


def _post_items(api: ConnectionsApi, lanes: Sequence[Lane], verdict: Verdict) -> dict[str, Outcome]:
    """Post the lanes' frames; beside them, ask for the connections that replace others, and return their outcomes."""
    framed = _frame_all(lanes)
    calls = [
        Call(
            connection_id=lane.connection.connection_id,
            body=frame.body,
            retry_gone_until_s=_young_until_s(lane),
            worthless_after_s=frame.worthless_after_s(),
        )
        for lane, frames in framed
        for frame in frames
    ]
    successors = [
        lane.ending.item.once_usable for lane in lanes if lane.ending is not None and lane.ending.item.once_usable
    ]
    asked = [
        Call(
            connection_id=ref.connection_id,
            method="GET",
            retry_gone_until_s=(ref.connected_at_ms + YOUNG_MS) / 1000,
        )
        for ref in successors
    ]
    replies = api.send_all([*calls, *asked], timeout_s=SEND_TIMEOUT_S)
    at = 0
    for lane, frames in framed:
        _judge(lane, frames, replies[at : at + len(frames)], verdict)
        at += len(frames)
    return {ref.connection_id: reply.outcome for ref, reply in zip(successors, replies[at:], strict=True)}


def _frame_all(lanes: Sequence[Lane]) -> list[tuple[Lane, list[Frame]]]:
    """Return the lanes' frames; lanes that say the same, as in a large group, share theirs, made once."""
    made: dict[tuple[int, ...], list[Frame]] = {}
    framed: list[tuple[Lane, list[Frame]]] = []
    for lane in lanes:
        said = tuple(map(id, lane.items))
        if said not in made:
            made[said] = lane.frames()
        framed.append((lane, made[said]))
    return framed


def _judge(lane: Lane, frames: Sequence[Frame], replies: Sequence[Reply], verdict: Verdict) -> None:
    unsent: list[Placed] = []
    is_gone = False
    for frame, reply in zip(frames, replies, strict=True):
        verdict.posts[reply.outcome.name.lower()] += 1
        if reply.outcome is Outcome.DELIVERED:
            verdict.delivered += [(placed, reply.at_ms) for placed in frame.items]
        elif reply.outcome in _FOR_LATER:
            verdict.failed.update(placed.record for placed in frame.items)
        elif reply.outcome is Outcome.GONE:
            is_gone = True
            unsent += frame.items
    if is_gone:
        verdict.dead.append(_dead(lane, unsent))


def _end_connections(api: ConnectionsApi, lanes: Sequence[Lane], probes: dict[str, Outcome], verdict: Verdict) -> None:
    """Tell each connection why and close it.

    When its successor never became usable it is closed without a word: the client then connects again, which after
    `session.replaced` it would not.
    """
    calls: list[Call] = []
    owners: list[Placed] = []
    for lane in lanes:
        assert lane.ending is not None
        item, connection_id = lane.ending.item, lane.connection.connection_id
        successor = item.once_usable
        if successor is None or probes[successor.connection_id] is not Outcome.GONE:
            calls.append(Call(connection_id=connection_id, body=event_body(item)))
            owners.append(lane.ending)
        calls.append(Call(connection_id=connection_id, method="DELETE"))
        owners.append(lane.ending)
    for placed, reply in zip(owners, api.send_all(calls, timeout_s=ENDING_TIMEOUT_S), strict=True):
        verdict.posts[f"ending_{reply.outcome.name.lower()}"] += 1
        if reply.outcome in _FOR_LATER:
            verdict.failed.add(placed.record)


def _give_up(api: ConnectionsApi, lanes: Sequence[Lane], verdict: Verdict) -> None:
    """End connections that could not be told in time of messages or what became of them, and report them as dead.

    Left open, such a client would not know that it missed something; ended, it connects again and catches up.
    """
    calls = [Call(connection_id=lane.connection.connection_id, method="DELETE") for lane in lanes]
    replies = api.send_all(calls, timeout_s=ENDING_TIMEOUT_S)
    for lane, reply in zip(lanes, replies, strict=True):
        verdict.posts[f"overdue_{reply.outcome.name.lower()}"] += 1
        unsent = [*lane.overdue, *lane.items]
        if reply.outcome in _FOR_LATER:
            # Reported as dead while it is open, it would be registered no more and never hear anything again.
            verdict.failed.update(placed.record for placed in unsent)
        else:
            verdict.dead.append(_dead(lane, unsent))


def _dead(lane: Lane, unsent: Sequence[Placed]) -> Dead:
    return Dead(
        missed_by=MissedBy(
            user_id=lane.user_id,
            device_id=lane.connection.device_id,
            connection_id=lane.connection.connection_id,
            missed=missed_messages(unsent),
        ),
        records=frozenset(placed.record for placed in unsent),
    )


def _young_until_s(lane: Lane) -> float:
    return (lane.connection.connected_at_ms + YOUNG_MS) / 1000
