"""Asks an instance for its health: cells by an event to their function, all others by gRPC's health service."""

import json
from collections.abc import Callable
from typing import Any

import grpc

from gochat_aws.function_invoke import (
    FunctionInvoker,
    InvocationConnectionError,
    InvocationTimeoutError,
)
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.invoke_server import HEALTH_METHOD, SERVING
from gochat_aws.registry.instances import GATEWAY, Instance

TIMEOUT_S = 5.0
"""Of one health call: a function's cold start is an answer, a hung one is none."""

HEALTH_EVENT = b'{"gochat":"health"}'
"""What the function of a cell answers without touching a store."""


class HealthCalls:
    """Makes health calls; safe for use by several threads."""

    def __init__(self, *, region: str, invoker: Callable[[str, str], FunctionInvoker] | None = None) -> None:
        self._region = region
        self._invoker = invoker or (lambda function, region: FunctionInvoker(function=function, region=region))

    def is_serving(self, service: str, instance: Instance) -> bool:
        """Call an instance once and tell whether it answers that it serves; never raises."""
        if instance.target.startswith("grpc://"):
            with grpc.insecure_channel(instance.target.removeprefix("grpc://")) as channel:
                return _checks_out(channel)
        invoker = self._invoker(instance.function, instance.region or self._region)
        try:
            if service == GATEWAY:
                return _cell_serves(invoker)
            return _checks_out(InvokeChannel(lambda_transport(invoker)))
        finally:
            invoker.close()


def _checks_out(channel: grpc.Channel) -> bool:
    check: Any = channel.unary_unary(HEALTH_METHOD, request_serializer=bytes, response_deserializer=bytes)
    try:
        return bool(check(b"", timeout=TIMEOUT_S) == SERVING)
    except grpc.RpcError:
        return False


def _cell_serves(invoker: FunctionInvoker) -> bool:
    try:
        reply = invoker.invoke(HEALTH_EVENT, timeout_s=TIMEOUT_S)
    except (InvocationTimeoutError, InvocationConnectionError):
        return False
    if reply.status != 200 or reply.function_error:
        return False
    try:
        answer = json.loads(reply.payload)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("statusCode") == 200
