"""WebSocket tickets: each opens one connection, whoever shows it a second time is refused."""

from gochat_repo.mysql import Database, Transaction

_SWEPT_AT_ONCE = 100
_CLOCKS_APART_MS = 60_000
"""A ticket that is swept must have expired for every verifier; they allow for clocks that stand apart."""


class Tickets:
    """The tickets that were used; MySQL, as a flushed cache must not make them good again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def use(self, ticket_id: str, *, expires_at_ms: int, now_ms: int) -> bool:
        """Mark a ticket as used and tell whether it was unused until now; raises `Unavailable`.

        Not idempotent by intent: a repeat is a second use. Each use sweeps some that have expired, so the table stays
        as small as a minute's tickets are many.
        """

        def work(tx: Transaction) -> bool:
            inserted = tx.execute_rows(
                "INSERT INTO used_tickets (ticket_id, expires_at_ms) VALUES",
                [(ticket_id, expires_at_ms)],
                "ON DUPLICATE KEY UPDATE ticket_id = VALUES(ticket_id)",
            )
            tx.execute(
                f"DELETE FROM used_tickets WHERE expires_at_ms < %s LIMIT {_SWEPT_AT_ONCE}",  # noqa: S608 - constant
                (now_ms - _CLOCKS_APART_MS,),
            )
            return bool(inserted)

        return self._database.transaction(work)
