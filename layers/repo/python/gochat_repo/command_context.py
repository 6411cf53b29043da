"""What a batch of commands must know before it decides, read in one statement behind the conversations' locks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from gochat_core.types import ClientMsgId, ConversationId, MessageId, Seq, UserId
from gochat_repo.mysql import Row, Transaction
from gochat_repo.reactions import Reaction, ReactionKey, decode_reactions
from gochat_repo.users import User

MessageKey = tuple[ConversationId, UserId, ClientMsgId]
"""What makes a message the same message, however often and over whichever door it comes."""

Place = tuple[ConversationId, Seq]
"""Where a message stands."""


class KnownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is stored already, as far as a resend's answer needs it; `announced`: no outbox row stands."""

    seq: Seq
    message_id: MessageId
    content_hash: bytes
    created_at_ms: int
    announced: bool


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member, or former member, with the own cursors; `is_alive`: the account is not erased."""

    join_seq: Seq
    left_seq: Seq | None
    is_alive: bool
    read_seq: int = 0
    sent_seq: int = 0
    delivered_seq: int = 0
    cleared_seq: int = 0
    role: str | None = None
    """In a group: owner, admin or member."""
    muted_until_ms: int = 0

    @property
    def has_seq(self) -> int:
        """Up to which seq the member has everything: who has read a message has it."""
        return max(self.delivered_seq, self.read_seq)


class GroupRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a group lets its members do at the moment."""

    is_dissolved: bool
    muted_all: bool
    is_large: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A message that somebody wants to change, as far as that must be known.

    `content` is what the batch itself knows or has changed it to, `content_digest` tells the stored one from another.
    `outstanding` is the payload of the last change's outbox row, if that still stands.
    """

    conversation_id: ConversationId
    seq: Seq
    sender_id: UserId
    type: str
    created_at_ms: int
    edited_at_ms: int | None = None
    recalled_at_ms: int | None = None
    change: int = 0
    reactions: tuple[Reaction, ...] = ()
    content: bytes | None = None
    content_digest: bytes | None = None
    outstanding: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a batch names: messages to store, conversations, users who may begin one, messages to change, reactions."""

    keys: set[MessageKey] = field(default_factory=set)
    conversation_ids: Collection[ConversationId] = ()
    actors: set[tuple[ConversationId, UserId]] = field(default_factory=set)
    """Whose rows are needed of conversations that are, or may be, large; of small ones all members are read."""
    authored: set[Place] = field(default_factory=set)
    """Messages of large conversations whose senders' rows are needed too."""
    newcomers: set[UserId] = field(default_factory=set)
    targets: set[Place] = field(default_factory=set)
    reactions: set[ReactionKey] = field(default_factory=set)
    friendships: bool = False
    """Whether it matters who are friends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandContext:
    """What the stores know of it; `newcomers` holds who of them there is, `reacted` the reactions that stand.

    `blockers` holds who of a single chat's two has blocked the other, whether the chat has a row or not; `befriended`
    the single chats of friends, None if that doesn't matter. `groups` holds those of the conversations that are groups.
    `members` are all of small conversations, of large ones those who were named.
    """

    known: dict[MessageKey, KnownMessage] = field(default_factory=dict)
    members: dict[ConversationId, dict[UserId, Member]] = field(default_factory=dict)
    newcomers: dict[UserId, User] = field(default_factory=dict)
    targets: dict[Place, Target] = field(default_factory=dict)
    reacted: set[ReactionKey] = field(default_factory=set)
    blockers: dict[ConversationId, set[UserId]] = field(default_factory=dict)
    befriended: set[ConversationId] | None = None
    groups: dict[ConversationId, GroupRules] = field(default_factory=dict)


DIGEST_BYTES = 16
"""Of SHA-256 over a content's UTF-8: it is read instead of the content, which nobody needs for a reaction."""

_KNOWN = """
SELECT 1, m.conversation_id, m.sender_id, m.seq, m.message_id, m.created_at_ms, NULL, NULL, NULL, o.number IS NULL,
       m.content_hash, m.client_msg_id, NULL, NULL
  FROM messages m
  LEFT JOIN outbox o ON o.conversation_id = m.conversation_id AND o.kind = 'message' AND o.number = m.seq
 WHERE (m.conversation_id, m.sender_id, m.client_msg_id) IN %s"""
_MEMBER_COLUMNS = """
SELECT 2, p.conversation_id, p.user_id, p.join_seq, p.left_seq, p.read_seq, p.sent_seq, p.delivered_seq, p.cleared_seq,
       u.user_id IS NOT NULL AND u.deleted_at_ms IS NULL, NULL, g.role, CAST(g.muted_until_ms AS CHAR), NULL"""
_MEMBER_JOINS = """
  LEFT JOIN users u ON u.user_id = p.user_id
  LEFT JOIN group_members g FORCE INDEX (PRIMARY)
         ON g.conversation_id = p.conversation_id AND g.user_id = p.user_id"""
_MEMBERS = f"""{_MEMBER_COLUMNS}
  FROM conversations c FORCE INDEX (PRIMARY)
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY) ON p.conversation_id = c.conversation_id
  {_MEMBER_JOINS}
 WHERE c.conversation_id IN %s AND c.is_large = FALSE"""
_ACTORS = f"""{_MEMBER_COLUMNS}
  FROM conversation_participants p FORCE INDEX (PRIMARY) {_MEMBER_JOINS}
 WHERE (p.conversation_id, p.user_id) IN %s"""
_AUTHORS = f"""{_MEMBER_COLUMNS}
  FROM messages m FORCE INDEX (PRIMARY)
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY)
             ON p.conversation_id = m.conversation_id AND p.user_id = m.sender_id
  {_MEMBER_JOINS}
 WHERE (m.conversation_id, m.seq) IN %s"""
_NEWCOMERS = """
SELECT 3, NULL, u.user_id, u.created_at_ms, NULL, NULL, NULL, NULL, NULL, TRUE, NULL, u.username, u.display_name,
       u.avatar_url
  FROM users u WHERE u.user_id IN %s AND u.deleted_at_ms IS NULL"""
_TARGETS = f"""
SELECT 4, m.conversation_id, m.sender_id, m.seq, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, NULL,
       o.number IS NULL, LEFT(UNHEX(SHA2(m.content, 256)), {DIGEST_BYTES}), m.type, m.reactions, o.payload
  FROM messages m
  LEFT JOIN outbox o ON o.conversation_id = m.conversation_id AND o.kind = 'change' AND o.number = m.last_change
 WHERE (m.conversation_id, m.seq) IN %s"""  # noqa: S608 - a constant
_REACTED = """
SELECT 5, r.conversation_id, r.user_id, r.seq, NULL, NULL, NULL, NULL, NULL, TRUE, NULL, r.emoji, NULL, NULL
  FROM message_reactions r WHERE (r.conversation_id, r.seq, r.emoji, r.user_id) IN %s AND NOT r.is_removed"""
# FORCE INDEX: a table that has just begun to grow looks so small to the optimizer that it would rather read all of it.
_BLOCKS = """
SELECT 6, b.conversation_id, b.blocker_id, NULL, NULL, NULL, NULL, NULL, NULL, TRUE, NULL, NULL, NULL, NULL
  FROM blocks b FORCE INDEX (PRIMARY) WHERE b.conversation_id IN %s"""
_FRIENDSHIPS = """
SELECT 7, f.conversation_id, f.user_id, NULL, NULL, NULL, NULL, NULL, NULL, TRUE, NULL, NULL, NULL, NULL
  FROM friendships f FORCE INDEX (PRIMARY) WHERE f.conversation_id IN %s"""

_GROUPS = """
SELECT 8, g.conversation_id, g.owner_id, g.dissolved_at_ms, c.is_large, NULL, NULL, NULL, NULL, g.muted_all, NULL,
       NULL, NULL, NULL
  FROM `groups` g FORCE INDEX (groups_conversation)
  STRAIGHT_JOIN conversations c FORCE INDEX (PRIMARY) ON c.conversation_id = g.conversation_id
 WHERE g.conversation_id IN %s"""


def get_command_context(tx: Transaction, wanted: Wanted) -> CommandContext:
    """Read, in one statement, what of this is stored already and who belongs to these conversations.

    The conversations must be locked before (but for those where somebody is only typing), so that nobody stores,
    changes, joins or leaves meanwhile. Each branch is a range on a unique key: the cost follows the batch, not the
    tables. What isn't asked for is no branch.
    """
    conversation_ids = tuple(map(_binary, wanted.conversation_ids))
    asked: list[tuple[str, tuple[object, ...]]] = [
        (_KNOWN, tuple((_binary(conversation), *rest) for conversation, *rest in wanted.keys)),
        (_MEMBERS, conversation_ids),
        (_ACTORS, tuple((_binary(conversation), user_id) for conversation, user_id in wanted.actors)),
        (_AUTHORS, tuple((_binary(conversation), seq) for conversation, seq in wanted.authored)),
        (_NEWCOMERS, tuple(wanted.newcomers)),
        (_TARGETS, tuple((_binary(conversation), seq) for conversation, seq in wanted.targets)),
        (_REACTED, tuple((_binary(conversation), *rest) for conversation, *rest in wanted.reactions)),
        (_BLOCKS, conversation_ids),
        (_FRIENDSHIPS, conversation_ids if wanted.friendships else ()),
        (_GROUPS, conversation_ids),
    ]
    branches = [(branch, values) for branch, values in asked if values]
    context = CommandContext(befriended=set() if wanted.friendships else None)
    if branches:
        rows = tx.query(" UNION ALL ".join(branch for branch, _ in branches), [values for _, values in branches])
        for row in rows:
            _note(context, row)
    return context


def _note(context: CommandContext, row: Row) -> None:
    kind, conversation, user, *numbers = row[:9]
    flag, digest, *texts = row[9:]
    # A column of a union may come as a decimal, whatever its branches are.
    user_id = UserId(int(user))
    conversation_id = ConversationId(conversation.hex() if conversation else "")
    if kind == 2:
        context.members.setdefault(conversation_id, {})[user_id] = _member(numbers, texts, is_alive=bool(flag))
    elif kind == 1:
        context.known[(conversation_id, user_id, texts[0])] = KnownMessage(
            seq=Seq(int(numbers[0])),
            message_id=MessageId(int(numbers[1])),
            content_hash=digest,
            created_at_ms=int(numbers[2]),
            announced=bool(flag),
        )
    elif kind == 3:
        context.newcomers[user_id] = User(
            user_id=user_id,
            username=texts[0],
            display_name=texts[1],
            avatar_url=texts[2],
            created_at_ms=int(numbers[0]),
        )
    elif kind == 4:
        target = _target(conversation_id, user_id, numbers, digest, texts, is_announced=bool(flag))
        context.targets[(conversation_id, target.seq)] = target
    elif kind == 6:
        context.blockers.setdefault(conversation_id, set()).add(user_id)
    elif kind == 8:
        context.groups[conversation_id] = GroupRules(
            is_dissolved=numbers[0] is not None, muted_all=bool(flag), is_large=bool(numbers[1])
        )
    elif kind == 7:
        assert context.befriended is not None
        context.befriended.add(conversation_id)
    else:
        context.reacted.add((conversation_id, Seq(int(numbers[0])), texts[0], user_id))


def _member(numbers: Sequence[int | None], texts: Sequence[str | None], *, is_alive: bool) -> Member:
    join_seq, left_seq, read_seq, sent_seq, delivered_seq, cleared_seq = numbers
    return Member(
        join_seq=Seq(int(join_seq or 0)),
        left_seq=None if left_seq is None else Seq(int(left_seq)),
        is_alive=is_alive,
        read_seq=int(read_seq or 0),
        sent_seq=int(sent_seq or 0),
        delivered_seq=int(delivered_seq or 0),
        cleared_seq=int(cleared_seq or 0),
        role=texts[0],
        muted_until_ms=int(texts[1] or 0),
    )


def _target(
    conversation_id: ConversationId,
    sender_id: UserId,
    numbers: Sequence[int | None],
    digest: bytes,
    texts: Sequence[str | None],
    *,
    is_announced: bool,
) -> Target:
    seq, created_at_ms, edited_at_ms, recalled_at_ms, change, _ = numbers
    type_, reactions, payload = texts
    return Target(
        conversation_id=conversation_id,
        seq=Seq(int(seq or 0)),
        sender_id=sender_id,
        type=type_ or "",
        created_at_ms=int(created_at_ms or 0),
        edited_at_ms=None if edited_at_ms is None else int(edited_at_ms),
        recalled_at_ms=None if recalled_at_ms is None else int(recalled_at_ms),
        change=int(change or 0),
        reactions=decode_reactions(reactions),
        content_digest=digest,
        outstanding=None if is_announced or payload is None else payload.encode(),
    )


def _binary(conversation_id: ConversationId) -> bytes:
    return bytes.fromhex(conversation_id)
