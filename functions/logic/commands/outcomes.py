"""What may become of one command."""

from collections.abc import Mapping

import msgspec

from gochat_core.errors import GochatError
from gochat_core.types import MessageId, Seq, UserId
from gochat_repo.command_context import Member, Target
from gochat_repo.conversations import NewSingleConversation
from gochat_repo.messages import StoredMessage
from gochat_repo.participants import Participation
from gochat_repo.reactions import ReactionRow


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """The message is new and gets this place; `opens` is the single chat that begins with it."""

    message: StoredMessage
    opens: NewSingleConversation | None = None


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The message was stored before: the first answer is given again."""

    seq: Seq
    message_id: MessageId
    created_at_ms: int
    announced: bool


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message becomes `target`, and its members are told `event` with `data`; `reaction` came or went."""

    target: Target
    event: str
    data: Mapping[str, object]
    reaction: ReactionRow | None = None


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A member has come so far: `member` and `own` are the cursors afterwards, whether or not they `moved`."""

    member: Member
    own: Participation
    moved: bool


class Show(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is stored; these users are told, until `expires_at_ms`."""

    user_ids: tuple[UserId, ...]
    expires_at_ms: int


class Unchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for is so already; `target` is as it was."""

    target: Target


class Refuse(msgspec.Struct, frozen=True, kw_only=True):
    """The command will never be carried out. `cause` is a fault of ours that the logs should show."""

    error: GochatError
    cause: Exception | None = None


Outcome = Store | Repeat | Change | Mark | Show | Unchanged | Refuse
