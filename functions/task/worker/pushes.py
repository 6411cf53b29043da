"""Plans the pushes of a batch: for whoever is away, one a conversation and device, in words that the user reads."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import PUSH_LIFETIME_MS, PUSH_TOPIC, OfflineTask, PushRecord, TaskRecord, encode
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.cache import Cache
from gochat_repo.messages import StoredMessage
from gochat_repo.mysql import Database
from gochat_repo.push_facts import Membership, PushFacts, load_push_facts
from gochat_repo.push_log import LoggedPush, log_suppressed
from gochat_repo.push_windows import claim_windows
from gochat_repo.read_through import ReadThrough
from gochat_repo.users import PROFILES
from task.worker.decide_push import Decision, decide_push
from task.worker.push_texts import write_texts
from task.worker.tasks import Work

Place = tuple[ConversationId, Seq]


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """One message that somebody who is away has missed, by the task that says so."""

    message: StoredMessage
    task: TaskRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Lead:
    """All that one push tells of one conversation: its last message, where it begins, and how many there are."""

    last: Missed
    first_seq: Seq
    count: int
    decision: Decision


@dataclass(slots=True)
class PlannedPushes:
    """What a batch comes to: what is produced, what is logged once it is, and how many of which kind and reason."""

    records: list[OutgoingRecord] = field(default_factory=list)
    suppressed: list[LoggedPush] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Pushes:
    """Plans pushes over what the stores say; writes nothing before `note`."""

    def __init__(self, database: Database, values: ReadThrough, cache: Cache) -> None:
        self._database = database
        self._values = values
        self._cache = cache

    def plan(
        self,
        tasks: Sequence[Work[OfflineTask]],
        messages: Mapping[Place, StoredMessage],
        absent: Collection[UserId],
        *,
        now_ms: int,
    ) -> PlannedPushes:
        """Plan for those without a connection. Raises Unavailable; safe to repeat.

        One statement for what decides, whatever the batch's size; the cache is asked twice, for the windows of storms
        and for names, if anybody is told of anything.
        """
        planned = PlannedPushes()
        missed = _find_missed(tasks, messages, absent)
        if not missed:
            return planned
        facts = self._database.read(lambda tx: load_push_facts(tx, missed.keys(), now_ms=now_ms))
        leads: dict[Membership, Lead] = {}
        for membership, each in missed.items():
            lead = _find_lead(each, membership[1], facts.get(membership), now_ms=now_ms)
            if lead.decision.kind == "none":
                _suppress(planned, membership, lead, facts.get(membership), now_ms)
            else:
                leads[membership] = lead
        if leads:
            self._write(planned, leads, facts, now_ms)
        return planned

    def note(self, planned: PlannedPushes) -> None:
        """Log what is not sent, and why. Idempotent; raises Unavailable."""
        if planned.suppressed:
            self._database.transaction(lambda tx: log_suppressed(tx, planned.suppressed))

    def _write(
        self,
        planned: PlannedPushes,
        leads: Mapping[Membership, Lead],
        facts: Mapping[Membership, PushFacts],
        now_ms: int,
    ) -> None:
        loud = {
            place: (lead.first_seq, lead.last.message.seq)
            for place, lead in leads.items()
            if lead.decision.kind == "alert"
        }
        first = claim_windows(self._cache, loud) if loud else set()
        (profiles,) = self._values.get_each([(PROFILES, {lead.last.message.sender_id for lead in leads.values()})])
        for membership, lead in leads.items():
            known, message = facts[membership], lead.last.message
            in_storm = membership in loud and membership not in first
            decision = (
                decide_push(message, membership[1], known, now_ms=now_ms, in_storm=True) if in_storm else lead.decision
            )
            sender = profiles.get(message.sender_id)
            # In a storm each push replaces the one before, so it tells of everything that is unread.
            count = max(lead.count, message.seq - known.seen_seq) if in_storm else lead.count
            planned.counts[f"{decision.kind}_{decision.reason}" if decision.reason else decision.kind] += 1
            planned.records += _records(
                membership,
                replace(lead, count=count, decision=decision),
                known,
                sender_name=sender.display_name if sender else "",
            )


def _records(membership: Membership, lead: Lead, facts: PushFacts, *, sender_name: str) -> list[OutgoingRecord]:
    """Write one push for each device of a member."""
    assert lead.decision.kind != "none"
    conversation_id, user_id = membership
    message, task = lead.last.message, lead.last.task
    title, body = write_texts(
        message,
        count=lead.count,
        language=facts.preferences.language,
        previews=facts.preferences.previews,
        sender_name=sender_name,
        group_name=facts.group_name,
    )
    records = [
        PushRecord(
            task_id=task.task_id,
            user_id=user_id,
            device_id=device_id,
            conversation_id=conversation_id,
            seq=message.seq,
            kind=lead.decision.kind,
            title=title,
            body=body,
            created_at_ms=message.created_at_ms,
            expires_at_ms=message.created_at_ms + PUSH_LIFETIME_MS,
            count=lead.count,
            trace=task.trace,
        )
        for device_id, _ in facts.devices
    ]
    return [OutgoingRecord(topic=PUSH_TOPIC, key=str(user_id).encode(), value=encode(one)) for one in records]


def _find_missed(
    tasks: Sequence[Work[OfflineTask]], messages: Mapping[Place, StoredMessage], absent: Collection[UserId]
) -> dict[Membership, list[Missed]]:
    """Group by member what those who are away have missed, each message once, ascending."""
    found: dict[Membership, dict[Seq, Missed]] = {}
    for one in tasks:
        for seq in one.task.seqs:
            message = messages.get((one.task.conversation_id, seq))
            if message is None:
                continue
            for user_id in one.task.user_ids:
                if user_id in absent:
                    seqs = found.setdefault((message.conversation_id, user_id), {})
                    seqs.setdefault(seq, Missed(message=message, task=one.record))
    return {membership: [seqs[seq] for seq in sorted(seqs)] for membership, seqs in found.items()}


def _find_lead(missed: Sequence[Missed], user_id: UserId, facts: PushFacts | None, *, now_ms: int) -> Lead:
    """Return what one push tells of these messages, as loud as the loudest; or why nothing is told of the last."""
    decided = [(one, decide_push(one.message, user_id, facts, now_ms=now_ms)) for one in missed]
    told = [(one, decision) for one, decision in decided if decision.kind != "none"]
    if not told:
        last, decision = decided[-1]
        return Lead(last=last, first_seq=last.message.seq, count=0, decision=decision)
    last, decision = told[-1]
    alert = next((decision for _, decision in told if decision.kind == "alert"), decision)
    return Lead(last=last, first_seq=told[0][0].message.seq, count=len(told), decision=alert)


def _suppress(planned: PlannedPushes, membership: Membership, lead: Lead, facts: PushFacts | None, now_ms: int) -> None:
    """Count what is not sent; and log it, where there is a device that could have been told."""
    planned.counts[lead.decision.reason] += 1
    planned.suppressed += [
        LoggedPush(
            user_id=membership[1],
            device_id=device_id,
            conversation_id=membership[0],
            seq=lead.last.message.seq,
            task_id=lead.last.task.task_id,
            provider=provider,
            outcome="suppressed",
            reason=lead.decision.reason,
            now_ms=now_ms,
        )
        for device_id, provider in (facts.devices if facts else ())
    ]
