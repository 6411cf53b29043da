"""Audits the conversations that changed since the last audit, and once more those that were found wanting."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aws_lambda_powertools import Logger

from gochat_core.clock import Clock
from gochat_core.metrics import Metrics
from gochat_core.sweeps import Counts, TimeLimit
from gochat_repo.loss_audit import Look, LossAudits, Place, Suspect
from repo.audit.faults import faults_of

PAGE = 1_000
"""Conversations that one statement finds to have changed."""

SLICE = 200
ROWS_AT_ONCE = 20_000
"""What one look takes on: so many conversations, and about so many rows of them."""

OPEN_AT_ONCE = 100
"""Conversations with findings that one run looks at again; of more, each has its turn."""

LOOK_BACK_MS = 90_000
"""How long before it is committed a conversation's time may have been taken: no function that numbers messages runs
longer than 60 s (`cdk_app/catalogue.py`), and clocks differ."""


@dataclass(frozen=True, kw_only=True)
class ConversationAudit:
    """Looks on a reader, and again on the writer before it says that anything is wrong."""

    audits: LossAudits
    clock: Clock
    logger: Logger
    metrics: Metrics

    def run(self, limit: TimeLimit) -> Counts:
        """Audit until nothing is left or the time is over; the next run goes on from there. Raises Unavailable."""
        counts: Counter[str] = Counter(AuditedConversations=0, AuditedMessages=0, AuditFindings=0)
        again = self.audits.list_open(limit=OPEN_AT_ONCE)
        self._settle(self.audits.look(again, on_writer=True) if again else [], counts, were_open=True)
        self._walk(counts, limit)
        return counts

    def _walk(self, counts: Counter[str], limit: TimeLimit) -> None:
        """Audit page after page of what changed, and note behind each how far that is."""
        place = self.audits.get_place()
        is_last = False
        while not (is_last or limit.is_over()):
            began_ms = self.clock.now_ms()
            page = self.audits.list_changed(after=place, now_ms=began_ms, limit=PAGE)
            if not self._audit(page, counts, limit):
                # What is done of the page is passed over by the next run.
                break
            is_last = len(page) < PAGE
            place = Place(updated_at_ms=max(0, began_ms - LOOK_BACK_MS)) if is_last else page[-1].place
            self.audits.save_place(place, now_ms=began_ms)
        if is_last or place.updated_at_ms:
            lag_ms = 0 if is_last else max(0, self.clock.now_ms() - place.updated_at_ms)
            self.metrics.emit({"AuditLag": ("Milliseconds", lag_ms)})

    def _audit(self, page: Sequence[Suspect], counts: Counter[str], limit: TimeLimit) -> bool:
        """Look at all of a page, slice by slice; False if the time was over before."""
        pending = list(page)
        while pending:
            if limit.is_over():
                return False
            taken = _slice(pending)
            pending = pending[len(taken) :]
            whole = self._settle(self._look(taken), counts, were_open=False)
            by_id = {one.conversation_id: one for one in taken}
            # Of a long conversation a look takes a piece; the next one comes first, so that its end is soon known.
            pending[:0] = [
                replace(by_id[one.conversation_id], audited_seq=one.checked_seq, with_members=False)
                for one in whole
                if one.checked_seq < by_id[one.conversation_id].last_seq
            ]
        return True

    def _look(self, suspects: Sequence[Suspect]) -> list[Look]:
        """Look on a reader; what is wrong there, or older than what the writer had, is looked at on the writer."""
        expected = {one.conversation_id: one for one in suspects}
        trusted = {
            look.conversation_id: look
            for look in self.audits.look(suspects, on_writer=False)
            if not faults_of(look) and not _is_behind(look, expected[look.conversation_id])
        }
        doubted = [one for one in suspects if one.conversation_id not in trusted]
        certain = self.audits.look(doubted, on_writer=True) if doubted else []
        return [*trusted.values(), *certain]

    def _settle(self, looks: Sequence[Look], counts: Counter[str], *, were_open: bool) -> list[Look]:
        """Note and tell what was seen; return what is whole."""
        whole: list[Look] = []
        found: list[Look] = []
        for look in looks:
            faults = faults_of(look)
            (found if faults else whole).append(look)
            for fault in faults:
                self.logger.error("audit finding", extra={"fault": fault, **_told(look)})
            counts["AuditFindings"] += len(faults)
            counts["AuditedMessages"] += 0 if faults else look.checked_seq - look.audited_seq
        if were_open:
            for look in whole:
                self.logger.info("audit finding mended", extra=_told(look))
        self.audits.save(whole=whole, found=found, mended=whole if were_open else (), now_ms=self.clock.now_ms())
        counts["AuditedConversations"] += len(looks)
        return whole


def _slice(pending: Sequence[Suspect]) -> list[Suspect]:
    """Take from the front what one look bears, one conversation at least."""
    taken, rows = [pending[0]], pending[0].rows
    for one in pending[1:SLICE]:
        rows += one.rows
        if rows > ROWS_AT_ONCE:
            break
        taken.append(one)
    return taken


def _is_behind(look: Look, expected: Suspect) -> bool:
    return look.last_seq < expected.last_seq or look.last_change < expected.last_change


def _told(look: Look) -> dict[str, object]:
    """Tell numbers alone, never what anybody wrote."""
    return {
        "conversation_id": look.conversation_id,
        "last_seq": look.last_seq,
        "last_change": look.last_change,
        "audited_seq": look.audited_seq,
        "checked_seq": look.checked_seq,
        "rows": look.rows,
        "greatest_seq": look.greatest_seq,
        "greatest_change": look.greatest_change,
        "members_beyond": look.members_beyond,
    }
