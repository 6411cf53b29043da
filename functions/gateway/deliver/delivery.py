"""Posts the lanes of a batch and judges the outcome: what was delivered, who is dead, which records must come again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.deliver.lanes import Frame, Lane, Placed, event_body, missed_messages
from gochat_aws.connections_api import Call, ConnectionsApi, Outcome, Reply
from gochat_contracts.deliver_reports import MissedBy
from gochat_contracts.records import ConnectionRef

YOUNG_MS = 10_000
"""How long after its opening a connection may answer 410 because its `$connect` has not returned.

Nobody waits for that here, where the next batch of everybody else in the partition would wait too.
"""

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


@dataclass(frozen=True, kw_only=True)
class Early:
    """Items to hand back, as their connection is not there and so young that it may come; in their order."""

    lane: Lane
    items: tuple[Placed, ...]

    @property
    def records(self) -> frozenset[int]:
        """Return the places of the records that brought the items."""
        return frozenset(placed.record for placed in self.items)


@dataclass(kw_only=True)
class Verdict:
    """What became of a batch; `failed` are the places of records that must come again."""

    failed: set[int] = field(default_factory=set)
    dead: list[Dead] = field(default_factory=list)
    early: list[Early] = field(default_factory=list)
    delivered: list[tuple[Placed, int]] = field(default_factory=list)
    """Each delivered item with the time of its post's answer, ms since 1970."""
    posts: Counter[str] = field(default_factory=Counter)


def deliver_lanes(api: ConnectionsApi, lanes: Sequence[Lane], *, now_ms: int) -> Verdict:
    """Post everything, then end the connections that are to be ended; never raises for what a connection answers."""
    verdict = Verdict()
    living = [lane for lane in lanes if not lane.overdue]
    probes = _post_items(api, living, verdict, now_ms)
    waiting = {early.lane.connection.connection_id for early in verdict.early}
    ending = [lane for lane in living if lane.ending and lane.connection.connection_id not in waiting]
    _end_connections(api, ending, probes, verdict, now_ms)
    _give_up(api, [lane for lane in lanes if lane.overdue], verdict)
    return verdict


def _post_items(api: ConnectionsApi, lanes: Sequence[Lane], verdict: Verdict, now_ms: int) -> dict[str, Outcome]:
    """Post the lanes' frames; beside them, ask for the connections that replace others, and return their outcomes."""
    framed = _frame_all(lanes)
    calls = [
        Call(
            connection_id=lane.connection.connection_id,
            body=frame.body,
            worthless_after_s=frame.worthless_after_s(),
        )
        for lane, frames in framed
        for frame in frames
    ]
    successors = [
        lane.ending.item.once_usable for lane in lanes if lane.ending is not None and lane.ending.item.once_usable
    ]
    asked = [Call(connection_id=ref.connection_id, method="GET") for ref in successors]
    replies = api.send_all([*calls, *asked], timeout_s=SEND_TIMEOUT_S)
    at = 0
    for lane, frames in framed:
        _judge(lane, frames, replies[at : at + len(frames)], verdict, now_ms)
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


def _judge(lane: Lane, frames: Sequence[Frame], replies: Sequence[Reply], verdict: Verdict, now_ms: int) -> None:
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
    if is_gone and _is_young(lane.connection, now_ms):
        ending = () if lane.ending is None else (lane.ending,)
        verdict.early.append(Early(lane=lane, items=(*unsent, *ending, *lane.behind)))
    elif is_gone:
        verdict.dead.append(_dead(lane, unsent))


def _end_connections(
    api: ConnectionsApi, lanes: Sequence[Lane], probes: dict[str, Outcome], verdict: Verdict, now_ms: int
) -> None:
    """Tell each connection why and close it.

    When its successor never became usable it is closed without a word: the client then connects again, which after
    `session.replaced` it would not. While the successor may still become usable, or the connection itself, the ending
    is handed back.
    """
    plans: list[tuple[Lane, Placed, list[Call]]] = []
    for lane in lanes:
        assert lane.ending is not None
        successor, connection_id = lane.ending.item.once_usable, lane.connection.connection_id
        calls = [Call(connection_id=connection_id, method="DELETE")]
        if successor is None or probes[successor.connection_id] is not Outcome.GONE:
            calls.insert(0, Call(connection_id=connection_id, body=event_body(lane.ending.item)))
        elif _is_young(successor, now_ms):
            verdict.early.append(Early(lane=lane, items=(lane.ending, *lane.behind)))
            continue
        plans.append((lane, lane.ending, calls))
    replies = iter(api.send_all([call for _, _, calls in plans for call in calls], timeout_s=ENDING_TIMEOUT_S))
    for lane, ending, calls in plans:
        outcomes = [next(replies).outcome for _ in calls]
        verdict.posts.update(f"ending_{outcome.name.lower()}" for outcome in outcomes)
        if outcomes[0] is Outcome.GONE and _is_young(lane.connection, now_ms):
            verdict.early.append(Early(lane=lane, items=(ending, *lane.behind)))
        elif any(outcome in _FOR_LATER for outcome in outcomes):
            verdict.failed.update(placed.record for placed in (ending, *lane.behind))
        elif missed_messages(lane.behind):
            # Its client catches up when it comes back; if it doesn't, and its user is nowhere else, this wants a push.
            verdict.dead.append(_dead(lane, lane.behind))


def _give_up(api: ConnectionsApi, lanes: Sequence[Lane], verdict: Verdict) -> None:
    """End connections that could not be told in time of messages or what became of them, and report them as dead.

    Left open, such a client would not know that it missed something; ended, it connects again and catches up.
    """
    calls = [Call(connection_id=lane.connection.connection_id, method="DELETE") for lane in lanes]
    replies = api.send_all(calls, timeout_s=ENDING_TIMEOUT_S)
    for lane, reply in zip(lanes, replies, strict=True):
        verdict.posts[f"overdue_{reply.outcome.name.lower()}"] += 1
        unsent = [*lane.overdue, *lane.items, *lane.behind]
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


def _is_young(connection: ConnectionRef, now_ms: int) -> bool:
    return now_ms < connection.connected_at_ms + YOUNG_MS
