"""Members of large conversations, in pages by user id: where to cut, and who stands in a page."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.cached_kinds import Kind
from gochat_repo.mysql import Transaction
from gochat_repo.participants import MemberSpan

CUT_VERSIONS = 16
"""For how many versions of the members one cut serves. Pages cover all ids, so that none is missed for an old cut; it
only lets pages grow by who has joined since. As long as it serves, a member's events stay in one partition."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """Where pages end: after these user ids; the last page has no end. `rows` are members, former ones too."""

    bounds: tuple[UserId, ...]
    rows: int


class CutKey(NamedTuple):
    """Names a cut: `era` is the version of the members divided by CUT_VERSIONS."""

    conversation_id: ConversationId
    era: int
    page_members: int


class MemberPage(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Who belongs, or belonged, to a conversation, of one range of ids: columns, and by index who left when."""

    user_ids: tuple[UserId, ...]
    join_seqs: tuple[Seq, ...]
    left_seqs: dict[int, Seq]

    def present_at(self, seq: Seq, *, since: Seq | None = None) -> Sequence[UserId]:
        """Return who is a member at this seq and, with `since`, was one already at that one."""
        floor = seq if since is None else min(seq, since)
        if not self.left_seqs and (not self.join_seqs or max(self.join_seqs) <= floor):
            return self.user_ids
        left = self.left_seqs
        return [
            user_id
            for index, (user_id, join_seq) in enumerate(zip(self.user_ids, self.join_seqs, strict=True))
            if join_seq <= floor and (index not in left or left[index] > seq)
        ]


class PageKey(NamedTuple):
    """Names a page as it stands at a version of the members: `after < user_id <= up_to`."""

    conversation_id: ConversationId
    members_version: int
    after_user_id: UserId | None
    up_to_user_id: UserId | None


_BOUNDS = """
SELECT user_id
  FROM (SELECT user_id, ROW_NUMBER() OVER (ORDER BY user_id) AS place
          FROM conversation_participants WHERE conversation_id = %s) AS numbered
 WHERE place MOD %s = 0
 ORDER BY user_id"""

_ROWS = "SELECT COUNT(*) FROM conversation_participants WHERE conversation_id = %s"

_PAGE = (
    "SELECT user_id, join_seq, left_seq FROM conversation_participants"
    " WHERE conversation_id = %s AND user_id > %s AND user_id <= %s ORDER BY user_id"
)
# The key is named because MariaDB weighs every pair of such a list against all the table's keys.
_SPANS = (
    "SELECT conversation_id, user_id, join_seq, left_seq FROM conversation_participants FORCE INDEX (PRIMARY)"
    " WHERE (conversation_id, user_id) IN %s"
)
_LAST_ID = 2**64 - 1


def _load_cuts(tx: Transaction, keys: Sequence[CutKey]) -> dict[CutKey, Cut]:
    return {key: _load_cut(tx, key) for key in keys}


def _load_cut(tx: Transaction, key: CutKey) -> Cut:
    """Read over the index once: a tenth of a second for 100,000 members, and once in CUT_VERSIONS changes of them."""
    conversation = bytes.fromhex(key.conversation_id)
    rows = int(tx.query(_ROWS, (conversation,))[0][0])
    if rows <= key.page_members:
        return Cut(bounds=(), rows=rows)
    bounds = tuple(UserId(row[0]) for row in tx.query(_BOUNDS, (conversation, key.page_members)))
    # A page behind the last member would be empty.
    return Cut(bounds=bounds[: (rows - 1) // key.page_members], rows=rows)


def _load_pages(tx: Transaction, keys: Sequence[PageKey]) -> dict[PageKey, MemberPage]:
    return {key: _load_page(tx, key) for key in keys}


def _load_page(tx: Transaction, key: PageKey) -> MemberPage:
    after = 0 if key.after_user_id is None else key.after_user_id
    up_to = _LAST_ID if key.up_to_user_id is None else key.up_to_user_id
    rows = tx.query(_PAGE, (bytes.fromhex(key.conversation_id), after, up_to))
    return MemberPage(
        user_ids=tuple(UserId(row[0]) for row in rows),
        join_seqs=tuple(Seq(row[1]) for row in rows),
        left_seqs={index: Seq(row[2]) for index, row in enumerate(rows) if row[2] is not None},
    )


def _write_key(key: Sequence[object]) -> str:
    return ":".join(str(part) for part in key)


_encode = msgspec.msgpack.Encoder().encode

CUTS: Kind[CutKey, Cut] = Kind(
    name="member_cut",
    load=_load_cuts,
    encode=_encode,
    decode=msgspec.msgpack.Decoder(Cut).decode,
    write_id=_write_key,
    reads_writer=True,
    waits=False,
    leaves_tombstone=False,
    ttl_s=600,
)

MEMBER_PAGES: Kind[PageKey, MemberPage] = Kind(
    name="member_page",
    load=_load_pages,
    encode=_encode,
    decode=msgspec.msgpack.Decoder(MemberPage).decode,
    write_id=_write_key,
    reads_writer=True,
    waits=False,
    leaves_tombstone=False,
)
"""Nothing invalidates a page. Read later than its version, it says the same of every seq that was stored by then: who
has joined since joined above it, who has left since left above it. Only who has left and come back is missing, and that
one's history begins anew in any case."""


def get_spans(
    tx: Transaction, memberships: Collection[tuple[ConversationId, UserId]]
) -> dict[ConversationId, dict[UserId, MemberSpan]]:
    """Read from which seq until which these users belong to these conversations, in one statement."""
    if not memberships:
        return {}
    rows = tx.query(_SPANS, (tuple((bytes.fromhex(one), user_id) for one, user_id in sorted(memberships)),))
    spans: dict[ConversationId, dict[UserId, MemberSpan]] = {}
    for conversation, user_id, join_seq, left_seq in rows:
        span = MemberSpan(join_seq=join_seq, left_seq=left_seq)
        spans.setdefault(ConversationId(conversation.hex()), {})[UserId(user_id)] = span
    return spans
