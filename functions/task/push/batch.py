"""A batch of pushes: asked for once more, sent, and told about."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Literal

import grpc

from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_aws.rpc_errors import error_of
from gochat_contracts.records import DeadLetter, PushRecord, UnreadableRecordError, decode, encode
from gochat_contracts.repo.repo_pb2 import (
    LogPushResultsRequest,
    PushPlace,
    RecheckPushesRequest,
    RecheckPushesResponse,
)
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.clock import Clock
from gochat_core.errors import TryLater, Unavailable
from task.push.providers.provider import Answer, Push, Refused, Sent, TokenDead
from task.push.sender import Sender

Reason = Literal["unreadable", "push_refused"]

CALL_TIMEOUT_S = 10.0
"""Of a call to RepoService; a database that resumes takes longer, and the batch comes again."""

SEND_BUDGET_MS = 25_000
"""For all of a batch: with both calls well below the function's 60 s."""

PAGE = 200
"""Pushes that are asked for, sent and told about together; RepoService takes 500."""

THREADS = 16
"""Of each provider."""

DEFER_MS = 60_000
"""How long a push rests whose provider is away, at least; a sweep then produces it again."""


@dataclass(kw_only=True)
class PushVerdicts:
    """What became of a batch; `failed` come again."""

    failed: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    letters: list[DeadLetter] = field(default_factory=list)
    latencies_ms: list[int] = field(default_factory=list)
    outage: Unavailable | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    number: int
    source: IncomingRecord
    record: PushRecord

    @property
    def place(self) -> tuple[object, ...]:
        """What names the push (layers/repo/python/gochat_repo/push_log.py)."""
        one = self.record
        return (one.user_id, one.device_id, one.conversation_id, one.seq)


KeepLetters = Callable[[Sequence[DeadLetter]], None]


class PushBatches:
    """Applies batches; one for the life of a container."""

    def __init__(self, repo: RepoServiceStub, sender: Sender, clock: Clock, keep: KeepLetters) -> None:
        """Take the adapters; `keep` hands dead letters to whoever reaches their topic, and may raise Unavailable."""
        self._repo = repo
        self._sender = sender
        self._clock = clock
        self._keep = keep

    def apply(self, records: Sequence[IncomingRecord]) -> PushVerdicts:
        """Send what is still worth sending.

        A record that comes again is sent again only if nobody told what became of it, and then once more at most.
        """
        verdicts = PushVerdicts()
        until_ms = self._clock.now_ms() + SEND_BUDGET_MS
        undone = set(range(len(records)))
        try:
            read = self._read(records, verdicts)
            undone = {one.number for one in read}
            for start in range(0, len(read), PAGE):
                page = read[start : start + PAGE]
                self._apply_page(page, verdicts, until_ms)
                undone -= {one.number for one in page}
        except TryLater as outage:
            verdicts.outage = Unavailable("RepoService or Lambda is away")
            verdicts.outage.__cause__ = outage
            verdicts.failed = undone
        return verdicts

    def _read(self, records: Sequence[IncomingRecord], verdicts: PushVerdicts) -> list[_Read]:
        """Read what can be read, each push once, and give up the rest."""
        read: dict[tuple[object, ...], _Read] = {}
        letters = []
        for number, record in enumerate(records):
            try:
                one = _Read(number=number, source=record, record=decode(PushRecord, record.value or b""))
            except UnreadableRecordError as fault:
                letters.append(self._letter(record, "unreadable", str(fault)))
                continue
            # What a worker that died has produced twice may come in one batch: the log knows of neither yet.
            if read.setdefault(one.place, one) is not one:
                verdicts.counts["suppressed_done"] += 1
        self._give_up(letters, verdicts)
        return list(read.values())

    def _apply_page(self, page: Sequence[_Read], verdicts: PushVerdicts, until_ms: int) -> None:
        told = self._recheck(page)
        results = LogPushResultsRequest()
        ready: list[tuple[_Read, RecheckPushesResponse.Verdict]] = []
        for one, verdict in zip(page, told.verdicts, strict=True):
            if verdict.reason:
                verdicts.counts[f"suppressed_{verdict.reason}"] += 1
            elif one.record.expires_at_ms <= self._clock.now_ms():
                verdicts.counts["suppressed_expired"] += 1
                results.results.add(place=_place(one.record), outcome="suppressed", reason="expired")
            else:
                ready.append((one, verdict))
        answers = self._send_all(
            [
                Push(record=one.record, provider=verdict.provider, token=verdict.token, badge=verdict.badge)
                for one, verdict in ready
            ],
            until_ms,
        )
        refused, letters = LogPushResultsRequest(), []
        for (one, verdict), answer in zip(ready, answers, strict=True):
            told_of = refused if isinstance(answer, Refused) else results
            self._tell(one, answer, told_of.results.add(place=_place(one.record)), verdict, verdicts)
            if isinstance(answer, Refused):
                letters.append(self._letter(one.source, "push_refused", answer.reason))
        self._log(results)
        # Behind what was sent, which must not come again for it, and before the log says that there is nothing to do.
        self._give_up(letters, verdicts)
        self._log(refused)

    def _recheck(self, page: Sequence[_Read]) -> RecheckPushesResponse:
        request = RecheckPushesRequest()
        for one in page:
            request.pushes.add(place=_place(one.record), task_id=one.record.task_id)
        try:
            answer: RecheckPushesResponse = self._repo.RecheckPushes(request, timeout=CALL_TIMEOUT_S)
        except grpc.RpcError as fault:
            raise error_of(fault) from fault
        return answer

    def _send_all(self, pushes: Sequence[Push], until_ms: int) -> list[Answer]:
        """Send at once, and return the answers in order.

        Each provider has threads of its own: one that hangs holds up no other's pushes.
        """
        with ExitStack() as stack:
            pools = {
                name: stack.enter_context(ThreadPoolExecutor(max_workers=THREADS))
                for name in sorted({push.provider for push in pushes})
            }
            sent = [pools[push.provider].submit(self._send, push, until_ms) for push in pushes]
            return [one.result() for one in sent]

    def _send(self, push: Push, until_ms: int) -> Answer:
        try:
            return self._sender.send(push, until_ms=until_ms)
        except Exception as fault:  # noqa: BLE001
            # The boundary of a push: whatever goes wrong with one must not take the batch with it, again and again.
            return Refused(reason=f"fault_{type(fault).__name__}")

    def _tell(
        self,
        one: _Read,
        answer: Answer,
        result: LogPushResultsRequest.Result,
        verdict: RecheckPushesResponse.Verdict,
        verdicts: PushVerdicts,
    ) -> None:
        now_ms = self._clock.now_ms()
        match answer:
            case Sent():
                result.outcome = "sent"
                verdicts.counts[f"sent_{one.record.kind}"] += 1
                verdicts.latencies_ms.append(max(0, now_ms - one.record.created_at_ms))
                return
            case TokenDead():
                result.outcome = "failed"
                result.dead_token_updated_at_ms = verdict.token_updated_at_ms
            case Refused():
                result.outcome = "failed"
            case _:
                result.outcome = "deferred"
                result.record = encode(one.record).decode()
                result.retry_at_ms = now_ms + max(DEFER_MS, int(answer.after_s * 1000))
        result.reason = answer.reason
        verdicts.counts[f"{result.outcome}_{answer.reason}"] += 1

    def _log(self, results: LogPushResultsRequest) -> None:
        """Tell what became of pushes; the channel insists, since what nobody is told of is sent once more."""
        if not results.results:
            return
        try:
            self._repo.LogPushResults(results, timeout=CALL_TIMEOUT_S)
        except grpc.RpcError as fault:
            raise error_of(fault) from fault

    def _give_up(self, letters: Sequence[DeadLetter], verdicts: PushVerdicts) -> None:
        if letters:
            self._keep(letters)
            verdicts.letters += letters

    def _letter(self, record: IncomingRecord, reason: Reason, detail: str) -> DeadLetter:
        written = dead_letter(record, reason=reason, detail=detail, now_ms=self._clock.now_ms())
        return decode(DeadLetter, written.value)


def _place(record: PushRecord) -> PushPlace:
    return PushPlace(
        user_id=record.user_id,
        device_id=record.device_id,
        conversation_id=record.conversation_id,
        seq=record.seq,
    )
