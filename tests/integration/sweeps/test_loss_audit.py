"""The loss audit finds what does not add up, each time until it is mended, and nothing while people just talk."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gochat_core.errors import Unavailable
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.types import Seq, UserId
from gochat_repo import loss_audit as store
from gochat_repo.loss_audit import Look, LossAudits, Suspect
from gochat_repo.outbox import OVERDUE_MS, claim_overdue
from repo.audit import conversations
from repo.audit.announcements import LATE_MS, AnnouncementAudit
from repo.audit.conversations import LOOK_BACK_MS, ConversationAudit
from tests.integration.messages.frames import ALICE, BOB, CAROL, CHAT, frame
from tests.integration.messages.stage import Stage
from tests.integration.sweeps.conftest import in_time, too_late

KEY = bytes.fromhex(CHAT)


@pytest.fixture
def audit(stage: Stage) -> ConversationAudit:
    return ConversationAudit(
        audits=LossAudits(stage.open_door().database),
        clock=stage.clock,
        logger=make_logger("repo-audit", "INFO"),
        metrics=Metrics(service="repo-audit", stage="test"),
    )


def send(stage: Stage, *client_msg_ids: str, sender: UserId = ALICE, peer: UserId = BOB) -> None:
    for client_msg_id in client_msg_ids:
        assert not stage.doors[0].apply(frame(client_msg_id, sender=sender, peer=peer)).failed
    stage.clock.advance_ms(1)


def write(stage: Stage, statement: str, *params: object) -> None:
    stage.doors[0].database.transaction(lambda tx: tx.execute(statement, params))


def findings(log: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Take the findings out of the log, which is empty then."""
    told = [vars(record) for record in log.records if record.message == "audit finding"]
    log.clear()
    return [(one["fault"], one["conversation_id"]) for one in told]


def test_whoever_just_talks_gives_no_finding(stage: Stage, audit: ConversationAudit) -> None:
    send(stage, "a", "b", "c")
    send(stage, "d", peer=CAROL)
    counts = audit.run(in_time(stage))
    assert counts == {"AuditedConversations": 2, "AuditedMessages": 4, "AuditFindings": 0}
    assert audit.run(in_time(stage))["AuditedConversations"] == 0, "nothing changed since"
    send(stage, "e")
    assert audit.run(in_time(stage)) == {"AuditedConversations": 1, "AuditedMessages": 1, "AuditFindings": 0}


DAMAGES = {
    "rows_missing": (
        "DELETE FROM messages WHERE conversation_id = %s AND seq = 2",
        "INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type, content,"
        " created_at_ms) SELECT conversation_id, 2, 1, 1, 'again', content_hash, type, content, created_at_ms"
        " FROM messages WHERE conversation_id = %s AND seq = 1",
    ),
    "row_beyond": (
        "UPDATE messages SET seq = 4 WHERE conversation_id = %s AND seq = 3",
        "UPDATE messages SET seq = 3 WHERE conversation_id = %s AND seq = 4",
    ),
    "change_beyond": (
        "UPDATE messages SET last_change = 7 WHERE conversation_id = %s AND seq = 1",
        "UPDATE messages SET last_change = 0 WHERE conversation_id = %s AND seq = 1",
    ),
    "cursor_beyond": (
        "UPDATE conversation_participants SET read_seq = 4 WHERE conversation_id = %s AND user_id = 2",
        "UPDATE conversation_participants SET read_seq = 0 WHERE conversation_id = %s AND user_id = 2",
    ),
    "seq_went_back": (
        "UPDATE conversation_audits SET audited_seq = 4 WHERE conversation_id = %s",
        "UPDATE conversation_audits SET audited_seq = 0 WHERE conversation_id = %s",
    ),
}


@pytest.mark.parametrize("fault", DAMAGES)
def test_what_is_damaged_is_told_once_in_each_run_until_it_is_mended(
    stage: Stage, audit: ConversationAudit, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    send(stage, "a", "b", "c")
    send(stage, "whole", peer=CAROL)
    if fault == "seq_went_back":
        audit.run(in_time(stage))
    damage, mend = DAMAGES[fault]
    write(stage, damage, KEY)
    expected = ["rows_missing", "row_beyond"] if fault == "row_beyond" else [fault]
    for _ in range(3):
        assert audit.run(in_time(stage))["AuditFindings"] == len(expected)
        assert findings(caplog) == [(one, CHAT) for one in expected]
        stage.clock.advance_ms(60_000)
    write(stage, mend, KEY)
    assert audit.run(in_time(stage))["AuditFindings"] == 0
    assert [record.message for record in caplog.records] == ["audit finding mended"]
    caplog.clear()
    audit.run(in_time(stage))
    assert caplog.records == []


def test_nothing_that_anybody_wrote_is_told(
    stage: Stage, audit: ConversationAudit, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    send(stage, "a", "b")
    write(stage, "DELETE FROM messages WHERE seq = 1")
    audit.run(in_time(stage))
    assert "hello" not in capsys.readouterr().out + str([vars(record) for record in caplog.records])
    assert len(findings(caplog)) == 1


def test_an_audit_that_dies_between_pages_goes_on_behind_the_last_one(
    stage: Stage, audit: ConversationAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "PAGE", 1)
    send(stage, "a")
    send(stage, "b", peer=CAROL)
    send(stage, "c", sender=BOB, peer=CAROL)
    looked: list[str] = []
    alive = True

    class Dying(LossAudits):
        def look(self, suspects: Sequence[Suspect], *, on_writer: bool) -> list[Look]:
            if len(looked) == 1 and not alive:
                raise Unavailable
            looked.extend(one.conversation_id for one in suspects)
            return super().look(suspects, on_writer=on_writer)

    mortal = replace(audit, audits=Dying(stage.doors[0].database))
    alive = False
    with pytest.raises(Unavailable):
        mortal.run(in_time(stage))
    alive = True
    assert mortal.run(in_time(stage))["AuditedConversations"] == 2
    assert len(looked) == len(set(looked)) == 3


def test_what_there_is_no_time_for_is_left_to_the_next_run(stage: Stage, audit: ConversationAudit) -> None:
    send(stage, "a")
    assert audit.run(too_late(stage))["AuditedConversations"] == 0
    assert audit.run(in_time(stage))["AuditedConversations"] == 1


def test_a_long_conversation_is_counted_piece_by_piece(
    stage: Stage, audit: ConversationAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SPAN", 2)
    send(stage, "a", "b", "c", "d", "e")
    assert audit.run(in_time(stage))["AuditedMessages"] == 5
    assert stage.rows("SELECT audited_seq FROM conversation_audits") == [(5,)]
    assert audit.run(in_time(stage))["AuditedConversations"] == 0


def test_what_was_committed_late_is_not_missed(stage: Stage, audit: ConversationAudit) -> None:
    send(stage, "a")
    audit.run(in_time(stage))
    stage.clock.advance_ms(LOOK_BACK_MS - 1_000)
    audit.run(in_time(stage))
    # Its time was taken before that run, and its rows were committed behind it.
    stage.clock.advance_ms(1_000 - LOOK_BACK_MS)
    send(stage, "b")
    stage.clock.advance_ms(LOOK_BACK_MS)
    assert audit.run(in_time(stage))["AuditedMessages"] == 1


def test_a_reader_that_is_behind_gives_no_finding(stage: Stage, audit: ConversationAudit) -> None:
    send(stage, "a", "b", "c")

    class Behind(LossAudits):
        def look(self, suspects: Sequence[Suspect], *, on_writer: bool) -> list[Look]:
            seen = super().look(suspects, on_writer=on_writer)
            return seen if on_writer else [replace(one, last_seq=Seq(1), rows=1, greatest_seq=3) for one in seen]

    lagging = replace(audit, audits=Behind(stage.doors[0].database))
    assert lagging.run(in_time(stage)) == {"AuditedConversations": 1, "AuditedMessages": 3, "AuditFindings": 0}


def test_a_conversation_that_never_rests_is_audited_and_found_whole_while_it_is_written(
    stage: Stage, audit: ConversationAudit
) -> None:
    stop = False

    def keep_writing(name: str) -> int:
        door, sent = stage.open_door(), 0
        while not stop:
            assert not door.apply(frame(f"{name}-{sent}")).failed
            stage.clock.advance_ms(1)
            sent += 1
        return sent

    with ThreadPoolExecutor(max_workers=2) as pool:
        writers = [pool.submit(keep_writing, name) for name in ("x", "y")]
        try:
            runs = [audit.run(in_time(stage)) for _ in range(40)]
        finally:
            stop = True
        sent = sum(one.result(timeout=30) for one in writers)
    runs.append(audit.run(in_time(stage)))
    assert sum(one["AuditFindings"] for one in runs) == 0
    assert sum(one["AuditedMessages"] for one in runs) == sent
    assert sum(one["AuditedMessages"] > 0 for one in runs) > 1, "also while it was written"


def test_a_run_takes_few_round_trips_however_many_conversations_changed(stage: Stage, audit: ConversationAudit) -> None:
    crowd = [UserId(number) for number in range(100, 160)]
    stage.add_users(*crowd)
    for peer in crowd:
        send(stage, f"to-{peer}", peer=peer)
    database = audit.audits._database
    before = database.round_trips
    assert audit.run(in_time(stage))["AuditedConversations"] == len(crowd)
    # What is open, the place, what changed, one look, and two writes with their commits.
    assert database.round_trips - before == 8
    before = database.round_trips
    audit.run(in_time(stage))
    assert database.round_trips - before == 5


def test_large_groups_have_their_members_looked_at_once_an_hour(stage: Stage, audit: ConversationAudit) -> None:
    group = stage.add_group([ALICE, BOB, CAROL], is_large=True)
    key = bytes.fromhex(group)
    assert audit.run(in_time(stage))["AuditedConversations"] == 1
    write(stage, "UPDATE conversation_participants SET read_seq = 9 WHERE conversation_id = %s", key)

    def change() -> None:
        write(
            stage,
            "UPDATE conversations SET last_change = last_change + 1, updated_at_ms = %s WHERE conversation_id = %s",
            stage.clock.now_ms(),
            key,
        )

    change()
    assert audit.run(in_time(stage)) == {"AuditedConversations": 1, "AuditedMessages": 0, "AuditFindings": 0}
    stage.clock.advance_ms(store.MEMBERS_EVERY_MS)
    change()
    assert audit.run(in_time(stage))["AuditFindings"] == 1


def test_an_announcement_that_nobody_gets_done_is_found_although_it_is_taken_over_again_and_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    audit = AnnouncementAudit(
        database=stage.open_door().database,
        clock=stage.clock,
        logger=make_logger("repo-audit", "INFO"),
        metrics=Metrics(service="repo-audit", stage="test"),
    )
    stage.connect(BOB)
    stage.producer.available = False
    stage.doors[0].apply(frame("a"))
    for _ in range(0, LATE_MS, OVERDUE_MS):
        assert audit.run(in_time(stage)) == {"AuditFindings": 0}
        stage.clock.advance_ms(OVERDUE_MS + 1)
        stage.doors[0].database.transaction(lambda tx: claim_overdue(tx, now_ms=stage.clock.now_ms()))
    assert audit.run(in_time(stage)) == {"AuditFindings": 2}, "the message, and that a chat began"
    assert findings(caplog) == [("unannounced", CHAT)] * 2
    write(stage, "DELETE FROM outbox")
    assert audit.run(in_time(stage)) == {"AuditFindings": 0}
