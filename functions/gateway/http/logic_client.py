"""Calls im-logic over gRPC: deadline and metadata out, its errors back by their codes."""

from typing import Any

import grpc

from gateway.http.request import Request
from gochat_aws.rpc_errors import error_of
from gochat_contracts.call_metadata import IDEMPOTENCY_KEY
from gochat_contracts.logic import (
    auth_pb2_grpc,
    contacts_pb2_grpc,
    conversations_pb2_grpc,
    groups_pb2_grpc,
    media_pb2_grpc,
    messages_pb2_grpc,
    push_pb2_grpc,
    sync_pb2_grpc,
    users_pb2_grpc,
)
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER


class LogicClient:
    """The stubs of im-logic over one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.auth = auth_pb2_grpc.AuthServiceStub(channel)
        self.users = users_pb2_grpc.UserServiceStub(channel)
        self.conversations = conversations_pb2_grpc.ConversationServiceStub(channel)
        self.media = media_pb2_grpc.MediaServiceStub(channel)
        self.messages = messages_pb2_grpc.MessageServiceStub(channel)
        self.push = push_pb2_grpc.PushServiceStub(channel)
        self.sync = sync_pb2_grpc.SyncServiceStub(channel)
        self.groups = groups_pb2_grpc.GroupServiceStub(channel)
        self.contacts = contacts_pb2_grpc.ContactServiceStub(channel)


def call(method: Any, message: Any, request: Request) -> Any:
    """Make one call for a request and return the response; the channel repeats what is idempotent.

    Raises the error that im-logic told; `Unavailable` when it could not be reached or did not answer in time (it may
    have done the work all the same).
    """
    metadata = [(REQUEST_ID_HEADER, request.request_id), (TRACE_HEADER, request.trace.header())]
    if "authorization" in request.headers:
        metadata.append(("authorization", request.headers["authorization"]))
    if request.key is not None:
        metadata.append((IDEMPOTENCY_KEY, request.key))
    try:
        return method(message, timeout=request.deadline_s, metadata=metadata)
    except grpc.RpcError as fault:
        raise error_of(fault) from fault
