"""What clients can ask for by a frame, typed: the commands that stand in the records of the upstream topic."""

import msgspec

from gochat_core.types import ClientMsgId, ConversationId, Seq, UserId


class SendMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="message.send"
):
    """Store a message and deliver it. `content` is the client's JSON as it came, already validated for its `type`.

    `to` is set when the client named the peer instead of the conversation: then the single chat may have to be made.
    """

    conversation_id: ConversationId
    client_msg_id: ClientMsgId
    type: str
    content: msgspec.Raw
    to: UserId | None = None
    reply_to_seq: Seq | None = None
    mentions: tuple[UserId, ...] = ()
    mention_all: bool = False


class MarkDelivered(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="message.delivered"
):
    """The sender's device has everything up to `seq`."""

    conversation_id: ConversationId
    seq: Seq


class MarkRead(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="message.read"):
    """The sender has read everything up to `seq`."""

    conversation_id: ConversationId
    seq: Seq


class RecallMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="message.recall"
):
    """Take a message back: its content goes for everybody."""

    conversation_id: ConversationId
    seq: Seq


class EditMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="message.edit"
):
    """Replace the content of a text message; `content` is JSON, already validated as a text's."""

    conversation_id: ConversationId
    seq: Seq
    content: msgspec.Raw


class AddReaction(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="reaction.add"
):
    """React to a message with an emoji."""

    conversation_id: ConversationId
    seq: Seq
    emoji: str


class RemoveReaction(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="reaction.remove"
):
    """Take a reaction back."""

    conversation_id: ConversationId
    seq: Seq
    emoji: str


class Typing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action", tag="typing"):
    """The sender is writing; never stored."""

    conversation_id: ConversationId


Command = SendMessage | MarkDelivered | MarkRead | RecallMessage | EditMessage | AddReaction | RemoveReaction | Typing
"""Everything that a client can ask for by a frame, tagged by `action`."""
