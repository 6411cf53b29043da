"""The outbox: what is stored and not yet known to be announced, so that a crash in between loses nothing."""

from collections.abc import Collection, Sequence

import msgspec

from gochat_core.types import ConversationId, DeviceId, Seq
from gochat_repo.mysql import Database, DeferredWrite, Transaction

MESSAGE = "message"
"""Kind of the rows whose `number` is a message's seq."""

OVERDUE_MS = 30_000
"""An older row belongs to an announcement that failed or whose function died."""

REDRIVEN_AT_ONCE = 50
"""Overdue rows that one batch takes over: it must not become slow because another one failed."""

_DELETE = "DELETE FROM outbox WHERE kind = 'message' AND (conversation_id, number) IN %s"


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be announced; `origin_device_id` is the device that sent it and need not hear of it (REST: None)."""

    conversation_id: ConversationId
    seq: Seq
    origin_device_id: DeviceId | None


def insert_outbox(tx: Transaction, messages: Sequence[OutboxMessage], *, now_ms: int) -> None:
    """Note, in the transaction that stores the messages, that they are to be announced; one statement."""
    tx.execute_rows(
        "INSERT INTO outbox (conversation_id, kind, number, origin_device_id, created_at_ms) VALUES",
        [(bytes.fromhex(one.conversation_id), MESSAGE, one.seq, one.origin_device_id, now_ms) for one in messages],
    )


def start_delete_outbox(database: Database, places: Collection[tuple[ConversationId, Seq]]) -> DeferredWrite:
    """Send the deletion of announced rows without waiting; it happens with the `commit` of what is returned.

    Sent while the broker is still busy with the announcement and committed once it is held, the deletion costs no time;
    when it is lost, the rows are announced again after OVERDUE_MS, which clients bear.
    """
    return database.write_deferred(
        _DELETE, (tuple((bytes.fromhex(conversation_id), seq) for conversation_id, seq in places),)
    )


def claim_overdue(tx: Transaction, *, now_ms: int) -> list[OutboxMessage]:
    """Take over rows whose announcement is overdue, oldest first; nobody else takes them for another OVERDUE_MS.

    Rows that somebody is deleting or claiming right now are skipped, not waited for.
    """
    rows = tx.query(
        "SELECT conversation_id, number, origin_device_id FROM outbox WHERE created_at_ms < %s AND kind = 'message'"
        " ORDER BY created_at_ms LIMIT %s FOR UPDATE SKIP LOCKED",
        (now_ms - OVERDUE_MS, REDRIVEN_AT_ONCE),
    )
    if rows:
        tx.execute(
            "UPDATE outbox SET created_at_ms = %s WHERE kind = 'message' AND (conversation_id, number) IN %s",
            (now_ms, tuple((row[0], row[1]) for row in rows)),
        )
    return [
        OutboxMessage(conversation_id=ConversationId(row[0].hex()), seq=row[1], origin_device_id=row[2]) for row in rows
    ]
