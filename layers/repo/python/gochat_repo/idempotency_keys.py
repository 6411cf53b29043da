"""Idempotency keys: which request of a user came under which key, who runs it now, and what it was answered."""

import secrets
from dataclasses import dataclass

from gochat_core.errors import IdempotencyConflict
from gochat_core.types import UserId
from gochat_repo.mysql import Database, Row, Transaction

LIFETIME_MS = 24 * 60 * 60 * 1000
"""How long the first answer is told again (protocol, conventions)."""

ABANDONED_AFTER_MS = 35_000
"""Older than any run can be: logic-rpc is stopped after 28 s. A claim of this age belongs to a container that died."""

_COLUMNS = "request_hash, seed, attempt, claimed_at_ms, response, refusal, expires_at_ms"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyedRequest:
    """One request under a key: whose, and the SHA-256 of the key and of all that was asked."""

    user_id: UserId
    key_hash: bytes
    request_hash: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to run a request; `seed` (16 random bytes) is the same in every run of it."""

    user_id: UserId
    key_hash: bytes
    attempt: int
    seed: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredAnswer:
    """What the first run was answered: either a response or a refusal, in the caller's own encoding."""

    response: bytes | None
    refusal: bytes | None


class IdempotencyKeys:
    """The table `idempotency_keys`; MySQL alone, as a flushed cache must not run a request twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, request: KeyedRequest, *, now_ms: int) -> Claim | StoredAnswer | None:
        """Claim a request that is to run, or return its answer; None while another run of it is under way.

        Two database round trips for a new key, three or four for a known one. A claim that was given up or abandoned
        is taken over with its seed; a key whose row has expired is a new key. Raises `IdempotencyConflict` when the key
        was used for another request, `Unavailable`.
        """
        return self._database.transaction(lambda tx: _claim(tx, request, now_ms))

    def find_answer(self, request: KeyedRequest, *, now_ms: int) -> StoredAnswer | None:
        """Return what this very request was answered, if it was; one database round trip."""
        sql = f"SELECT {_COLUMNS} FROM idempotency_keys WHERE user_id = %s AND key_hash = %s"  # noqa: S608 - constant
        rows = self._database.read(lambda tx: tx.query(sql, (request.user_id, request.key_hash)))
        if not rows or rows[0][6] <= now_ms or rows[0][0] != request.request_hash:
            return None
        return _answer(rows[0])

    def keep(self, claim: Claim, answer: StoredAnswer) -> None:
        """Store the answer of a run; a run that was overtaken stores nothing. Two database round trips; idempotent."""
        sql = (
            "UPDATE idempotency_keys SET response = %s, refusal = %s"
            " WHERE user_id = %s AND key_hash = %s AND attempt = %s AND response IS NULL AND refusal IS NULL"
        )
        values = (answer.response, answer.refusal, claim.user_id, claim.key_hash, claim.attempt)
        self._database.transaction(lambda tx: tx.execute(sql, values))

    def give_up(self, claim: Claim) -> None:
        """Let the next one who comes with the key run the request at once: this run decided nothing."""
        sql = "UPDATE idempotency_keys SET claimed_at_ms = 0 WHERE user_id = %s AND key_hash = %s AND attempt = %s"
        self._database.transaction(lambda tx: tx.execute(sql, (claim.user_id, claim.key_hash, claim.attempt)))


def delete_expired_keys(tx: Transaction, now_ms: int, limit: int) -> int:
    """Delete up to `limit` rows whose time is over and return how many there were; may be repeated."""
    return tx.execute(
        "DELETE FROM idempotency_keys WHERE expires_at_ms <= %s ORDER BY expires_at_ms LIMIT %s", (now_ms, limit)
    )


def _claim(tx: Transaction, request: KeyedRequest, now_ms: int) -> Claim | StoredAnswer | None:
    seed = secrets.token_bytes(16)
    inserted = tx.execute_rows(
        "INSERT INTO idempotency_keys (user_id, key_hash, request_hash, seed, attempt, claimed_at_ms, expires_at_ms)"
        " VALUES",
        [(request.user_id, request.key_hash, request.request_hash, seed, 1, now_ms, now_ms + LIFETIME_MS)],
        # Where there is a row, this locks it, so that of two who find it given up only one takes over.
        "ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)",
    )
    if inserted:
        return _held(request, attempt=1, seed=seed)
    sql = f"SELECT {_COLUMNS} FROM idempotency_keys WHERE user_id = %s AND key_hash = %s"  # noqa: S608 - constant
    (row,) = tx.query(sql, (request.user_id, request.key_hash))
    request_hash, known_seed, attempt, claimed_at_ms, _, _, expires_at_ms = row
    if expires_at_ms <= now_ms:
        return _take_over(tx, request, attempt=attempt + 1, seed=seed, now_ms=now_ms)
    if request_hash != request.request_hash:
        raise IdempotencyConflict
    if (answer := _answer(row)) is not None:
        return answer
    if claimed_at_ms > now_ms - ABANDONED_AFTER_MS:
        return None
    # The seed stays, and the expiry too: it is still the same request.
    return _take_over(tx, request, attempt=attempt + 1, seed=known_seed, now_ms=now_ms, expires_at_ms=expires_at_ms)


def _take_over(
    tx: Transaction,
    request: KeyedRequest,
    *,
    attempt: int,
    seed: bytes,
    now_ms: int,
    expires_at_ms: int | None = None,
) -> Claim:
    tx.execute(
        "UPDATE idempotency_keys SET request_hash = %s, seed = %s, attempt = %s, claimed_at_ms = %s, response = NULL,"
        " refusal = NULL, expires_at_ms = %s WHERE user_id = %s AND key_hash = %s",
        (
            request.request_hash,
            seed,
            attempt,
            now_ms,
            now_ms + LIFETIME_MS if expires_at_ms is None else expires_at_ms,
            request.user_id,
            request.key_hash,
        ),
    )
    return _held(request, attempt=attempt, seed=seed)


def _held(request: KeyedRequest, *, attempt: int, seed: bytes) -> Claim:
    return Claim(user_id=request.user_id, key_hash=request.key_hash, attempt=attempt, seed=seed)


def _answer(row: Row) -> StoredAnswer | None:
    response, refusal = row[4], row[5]
    return None if response is None and refusal is None else StoredAnswer(response=response, refusal=refusal)
