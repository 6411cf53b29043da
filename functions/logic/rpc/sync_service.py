"""SyncService: decodes, calls one use case, encodes."""

import grpc

from gochat_contracts.logic import sync_pb2, sync_pb2_grpc
from gochat_core.clock import Clock
from gochat_core.errors import FieldFault, InvalidRequest
from gochat_core.types import ConversationId
from gochat_repo.mysql import Database
from logic.rpc.calls import caller
from logic.rpc.message_messages import conversation_message, message_message
from logic.sync.plan_sync import SyncCursor
from logic.sync.sync_conversations import sync_conversations

Context = grpc.ServicerContext

MAX_CURSORS = 1_000
"""Of one request (protocol, `/sync`)."""

_MAX_SEQ = (1 << 63) - 1


class SyncService(sync_pb2_grpc.SyncServiceServicer):
    """Catching up over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def SyncConversations(  # noqa: N802
        self,
        request: sync_pb2.SyncConversationsRequest,
        context: Context,  # noqa: ARG002
    ) -> sync_pb2.SyncConversationsResponse:
        """Return a page of what changed."""
        viewer = caller().user_id
        answer = sync_conversations(
            self._database,
            self._clock,
            viewer,
            token=request.token if request.HasField("token") else None,
            cursors=_cursors(request),
        )
        return sync_pb2.SyncConversationsResponse(
            token=answer.token,
            conversations=[
                sync_pb2.SyncedConversation(
                    conversation=conversation_message(one.entry, viewer, answer.unlisted),
                    messages=[message_message(message, viewer, answer.unlisted) for message in one.messages],
                    changed=[message_message(message, viewer, answer.unlisted) for message in one.changed],
                    has_more=one.has_more,
                )
                for one in answer.conversations
            ],
            removed_conversation_ids=answer.removed,
            has_more=answer.has_more,
        )


def _cursors(request: sync_pb2.SyncConversationsRequest) -> dict[ConversationId, SyncCursor]:
    """Return the cursors by conversation, whatever their ids may name; raises `InvalidRequest` with every fault."""
    faults: list[FieldFault] = []
    if len(request.cursors) > MAX_CURSORS:
        faults.append(FieldFault(field="cursors", message=f"may name at most {MAX_CURSORS:,} conversations"))
    for one in request.cursors:
        for name, value in (("seq", one.seq), ("change", one.change)):
            if value > _MAX_SEQ:
                field = f"cursors.{one.conversation_id}.{name}"
                faults.append(FieldFault(field=field, message=f"must be at most {_MAX_SEQ}"))
    if faults:
        raise InvalidRequest(faults=faults)
    return {ConversationId(one.conversation_id): SyncCursor(seq=one.seq, change=one.change) for one in request.cursors}
