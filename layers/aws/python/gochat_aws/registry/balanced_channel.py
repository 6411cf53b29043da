"""A grpc.Channel that takes each call to an instance of the registry: chosen by weight, past those that fail."""

import random
from collections.abc import Callable
from typing import Any

import grpc
from aws_lambda_powertools import Logger

from gochat_aws.registry.choose import Outliers, choose
from gochat_aws.registry.instances import Instance

_INSTANCE_FAULTS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""What an instance can't help answering when it is broken; every other status is an answer to what was asked.

A store that is away makes all instances fail alike, and then all of them are used all the same (choose.candidates).
"""


class BalancedChannel(grpc.Channel):
    """Give it to generated stubs; unary calls only. A call is made once: whether to repeat it is its caller's to know.

    `instances` is called for each call and must be cheap (Discovery); `fallback` serves while it returns none.
    `open_channel` is called once for each target.
    """

    def __init__(
        self,
        *,
        instances: Callable[[], tuple[Instance, ...]],
        fallback: Instance,
        open_channel: Callable[[Instance], grpc.Channel],
        outliers: Outliers,
        logger: Logger,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._instances = instances
        self._fallback = fallback
        self._open_channel = open_channel
        self._outliers = outliers
        self._logger = logger
        self._draw = draw
        self._channels: dict[str, grpc.Channel] = {}
        self._known: tuple[Instance, ...] = ()

    def pick(self) -> Instance:
        """Return the instance for one call."""
        known = self._instances()
        if known is not self._known:
            self._known = known
            self._forget_others(known)
        return choose(known, self._outliers.is_ejected, self._draw) or self._fallback

    def channel_to(self, instance: Instance) -> grpc.Channel:
        """Return the channel to an instance, opened once."""
        channel = self._channels.get(instance.target)
        if channel is None:
            channel = self._channels[instance.target] = self._open_channel(instance)
        return channel

    def answered(self, instance: Instance, code: grpc.StatusCode) -> None:
        """Note how a call to an instance ended."""
        if code not in _INSTANCE_FAULTS:
            self._outliers.succeeded(instance.instance_id)
        elif self._outliers.failed(instance.instance_id):
            self._logger.warning("instance ejected", extra={"instance": instance.instance_id, "status": code.name})

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> "_Balanced":
        """Return the callable of one method."""
        return _Balanced(self, lambda channel: channel.unary_unary(method, *args, **kwargs))

    def _refuse_stream(self, method: str, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"{method}: streams are not balanced")

    unary_stream = stream_unary = stream_stream = _refuse_stream

    def subscribe(
        self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool | None = False
    ) -> None:
        """Do nothing: instances come and go below this channel."""

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Do nothing, as `subscribe` did."""

    def close(self) -> None:
        """Close the channels to all instances."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def __enter__(self) -> "BalancedChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget_others(self, known: tuple[Instance, ...]) -> None:
        """Forget instances that went; their channels are left to end with the calls that use them."""
        self._outliers.keep_only([*(one.instance_id for one in known), self._fallback.instance_id])
        targets = {self._fallback.target, *(one.target for one in known)}
        self._channels = {target: channel for target, channel in self._channels.items() if target in targets}


class _Balanced(grpc.UnaryUnaryMultiCallable):  # type: ignore[type-arg]  # at run time it takes none
    def __init__(self, balancer: BalancedChannel, method_of: Callable[[grpc.Channel], Any]) -> None:
        self._balancer = balancer
        self._method_of = method_of

    def __call__(self, request: Any, timeout: float | None = None, metadata: Any = None, *_: Any, **__: Any) -> Any:
        return self.with_call(request, timeout, metadata)[0]

    def with_call(self, request: Any, timeout: float | None = None, metadata: Any = None, *_: Any, **__: Any) -> Any:
        instance = self._balancer.pick()
        method = self._method_of(self._balancer.channel_to(instance))
        try:
            answered = method.with_call(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as fault:
            call: Any = fault  # what grpc raises is a grpc.Call as well
            self._balancer.answered(instance, call.code())
            raise
        self._balancer.answered(instance, grpc.StatusCode.OK)
        return answered

    def future(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("a balanced call is waited for: use threads to run several")
