"""The loss audit's reads: what changed, whether a conversation's rows add up, and up to where that is known."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gochat_core.types import ConversationId, Seq
from gochat_repo.mysql import Database, Row, Transaction
from gochat_repo.sweep_positions import SweepPosition, get_position, save_position

SWEEP = "audit"

SPAN = 5_000
"""Numbers of one conversation that one look counts: a second or less, whatever the messages hold."""

MEMBERS_EVERY_MS = 3_600_000
"""How often a large group's members are looked at; those of other conversations are with every look."""

# What is whole is passed over by the server, so that what stands within the look-back costs no round trip.
_CHANGED = """
SELECT c.conversation_id, c.updated_at_ms, c.last_seq, c.last_change, COALESCE(a.audited_seq, 0), c.member_count,
       c.is_large AND COALESCE(a.members_audited_at_ms, 0) > %s
  FROM conversations c FORCE INDEX (conversations_updated)
  LEFT JOIN conversation_audits a ON a.conversation_id = c.conversation_id
  LEFT JOIN audit_findings f ON f.conversation_id = c.conversation_id
 WHERE c.updated_at_ms >= %s AND (c.updated_at_ms > %s OR c.conversation_id > %s) AND f.conversation_id IS NULL
   AND (a.conversation_id IS NULL OR a.audited_seq <> c.last_seq OR a.audited_change <> c.last_change)
 ORDER BY c.updated_at_ms, c.conversation_id LIMIT %s"""

_OPEN = """
SELECT c.conversation_id, c.updated_at_ms, c.last_seq, c.last_change, COALESCE(a.audited_seq, 0), c.member_count, FALSE
  FROM audit_findings f
  STRAIGHT_JOIN conversations c ON c.conversation_id = f.conversation_id
  LEFT JOIN conversation_audits a ON a.conversation_id = c.conversation_id
 ORDER BY f.checked_at_ms LIMIT %s"""

# One statement, which sees one moment: a message that is committed meanwhile is in all of it or in none (MySQL manual,
# "Consistent Nonlocking Reads"). It locks nothing. The ranges that are counted stand in it as values, each for itself:
# of those that come out of a join the servers would read each conversation from its first message.
_LOOK = """
SELECT c.conversation_id, c.last_seq, c.last_change, v.audited_seq, v.checked_seq, v.held,
       (SELECT m.seq FROM messages m FORCE INDEX (PRIMARY)
         WHERE m.conversation_id = c.conversation_id ORDER BY m.seq DESC LIMIT 1),
       (SELECT m.last_change FROM messages m FORCE INDEX (messages_change)
         WHERE m.conversation_id = c.conversation_id ORDER BY m.last_change DESC LIMIT 1),
       IF(v.with_members, (SELECT COUNT(*) FROM conversation_participants p FORCE INDEX (PRIMARY)
         WHERE p.conversation_id = c.conversation_id AND c.last_seq < GREATEST(
               p.read_seq, p.sent_seq, p.delivered_seq, p.cleared_seq, COALESCE(p.hidden_seq, 0))), 0),
       v.with_members
  FROM ({counted}) v
  STRAIGHT_JOIN conversations c FORCE INDEX (PRIMARY) ON c.conversation_id = v.conversation_id"""
_COUNTED = """
SELECT %s AS conversation_id, %s AS audited_seq, %s AS checked_seq, %s AS with_members,
       (SELECT COUNT(*) FROM messages m FORCE INDEX (PRIMARY)
         WHERE m.conversation_id = %s AND m.seq > %s AND m.seq <= %s) AS held"""

_SAVE_WHOLE = (
    "INSERT INTO conversation_audits (conversation_id, audited_seq, audited_change, members_audited_at_ms) VALUES"
)
_WHOLE_AGAIN = (
    "ON DUPLICATE KEY UPDATE audited_seq = GREATEST(audited_seq, VALUES(audited_seq)),"
    " audited_change = GREATEST(audited_change, VALUES(audited_change)),"
    " members_audited_at_ms = GREATEST(members_audited_at_ms, VALUES(members_audited_at_ms))"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far an audit got among the conversations, by when they were updated."""

    updated_at_ms: int = 0
    conversation_id: bytes = b""

    def to_bytes(self) -> bytes:
        """Write it as the table of positions keeps it."""
        return self.updated_at_ms.to_bytes(8) + self.conversation_id

    @classmethod
    def from_bytes(cls, position: bytes) -> "Place":
        """Read it; an empty one is the beginning."""
        return cls(updated_at_ms=int.from_bytes(position[:8]), conversation_id=position[8:])


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect:
    """A conversation that is to be looked at: as the writer has it, and up to where it is known to be whole."""

    conversation_id: ConversationId
    place: Place
    last_seq: Seq
    last_change: int
    audited_seq: int
    with_members: bool
    members: int

    @property
    def checked_seq(self) -> int:
        """Up to where a look counts: all of these are committed, so that they are there whenever it looks."""
        return min(max(self.last_seq, self.audited_seq), self.audited_seq + SPAN)

    @property
    def rows(self) -> int:
        """About how many rows a look reads."""
        return self.checked_seq - self.audited_seq + (self.members if self.with_members else 0) + 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What one moment showed of a conversation; `rows` are those of `audited_seq < seq <= checked_seq`.

    `last_seq` may be greater than `checked_seq`: somebody wrote meanwhile, or a look does not count so far.
    """

    conversation_id: ConversationId
    last_seq: Seq
    last_change: int
    audited_seq: int
    checked_seq: int
    rows: int
    greatest_seq: int
    greatest_change: int
    members_beyond: int
    with_members: bool


class LossAudits:
    """The store of the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_place(self) -> Place:
        """Return how far the last audit got; the beginning before the first one."""
        held = self._database.read(lambda tx: get_position(tx, SWEEP))
        return Place() if held is None else Place.from_bytes(held.position)

    def list_changed(self, *, after: Place, now_ms: int, limit: int) -> list[Suspect]:
        """List conversations behind a place that have what no audit has seen, from the writer, those with findings not.

        Fewer than `limit` mean that at one moment there were no others, however fast some of them move.
        """
        at_ms = after.updated_at_ms
        values = (now_ms - MEMBERS_EVERY_MS, at_ms, at_ms, after.conversation_id, limit)
        return self._database.read(lambda tx: [_suspect(row) for row in tx.query(_CHANGED, values)])

    def list_open(self, *, limit: int) -> list[Suspect]:
        """List conversations with findings, those first that were not looked at for longest."""
        return self._database.read(lambda tx: [_suspect(row) for row in tx.query(_OPEN, (limit,))])

    def look(self, suspects: Sequence[Suspect], *, on_writer: bool) -> list[Look]:
        """Look at conversations, each at one moment; one statement. A reader may be behind, or not have one yet."""
        sql = _LOOK.format(counted=" UNION ALL ".join([_COUNTED] * len(suspects)))
        values: list[object] = []
        for one in suspects:
            counted = (bytes.fromhex(one.conversation_id), one.audited_seq, one.checked_seq)
            values += [*counted, one.with_members, *counted]
        read = self._database.read if on_writer else self._database.read_replica
        return read(lambda tx: [_look(row) for row in tx.query(sql, values)])

    def save(self, *, whole: Collection[Look], found: Collection[Look], mended: Collection[Look], now_ms: int) -> None:
        """Note what is whole, up to where it was looked at, what is not, and what is whole again."""
        if not (whole or found or mended):
            return

        def work(tx: Transaction) -> None:
            if whole:
                tx.execute_rows(_SAVE_WHOLE, [_whole_row(one, now_ms) for one in whole], _WHOLE_AGAIN)
            if found:
                tx.execute_rows(
                    "INSERT INTO audit_findings (conversation_id, found_at_ms, checked_at_ms) VALUES",
                    [(bytes.fromhex(one.conversation_id), now_ms, now_ms) for one in found],
                    "ON DUPLICATE KEY UPDATE checked_at_ms = VALUES(checked_at_ms)",
                )
            if mended:
                keys = tuple(bytes.fromhex(one.conversation_id) for one in mended)
                tx.execute("DELETE FROM audit_findings WHERE conversation_id IN %s", (keys,))

        self._database.transaction(work)

    def save_place(self, place: Place, *, now_ms: int) -> None:
        """Write how far this audit got."""
        position = SweepPosition(position=place.to_bytes(), round_began_at_ms=now_ms)
        self._database.transaction(lambda tx: save_position(tx, SWEEP, position))


def _suspect(row: Row) -> Suspect:
    return Suspect(
        conversation_id=ConversationId(row[0].hex()),
        place=Place(updated_at_ms=row[1], conversation_id=row[0]),
        last_seq=row[2],
        last_change=row[3],
        audited_seq=int(row[4]),
        members=row[5],
        with_members=not row[6],
    )


def _look(row: Row) -> Look:
    return Look(
        conversation_id=ConversationId(row[0].hex()),
        last_seq=row[1],
        last_change=row[2],
        audited_seq=int(row[3]),
        checked_seq=int(row[4]),
        rows=int(row[5]),
        greatest_seq=row[6] or 0,
        greatest_change=row[7] or 0,
        members_beyond=row[8],
        with_members=bool(row[9]),
    )


def _whole_row(one: Look, now_ms: int) -> tuple[object, ...]:
    members_at_ms = now_ms if one.with_members else 0
    return bytes.fromhex(one.conversation_id), one.checked_seq, one.last_change, members_at_ms
