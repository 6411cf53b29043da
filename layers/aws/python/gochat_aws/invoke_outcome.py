"""How a call ended that did not travel over HTTP/2, presented as grpc presents its own."""

from collections.abc import Callable
from typing import Any, NoReturn

import grpc

from gochat_aws.invoke_envelope import Metadata

_NO_METADATA: Metadata = ()


class InvokeRpcError(grpc.RpcError, grpc.Call, grpc.Future):  # type: ignore[type-arg]  # at run time it takes none
    """The outcome of a call: raised when it failed, handed out by `with_call` when it did not.

    A future too, as grpc's own is, because client interceptors ask a failed call for its result.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        details: str,
        *,
        initial: Metadata = _NO_METADATA,
        trailing: Metadata = _NO_METADATA,
    ) -> None:
        super().__init__(f"{code.name}: {details}")
        self._code = code
        self._details = details
        self._initial = initial
        self._trailing = trailing

    def code(self) -> grpc.StatusCode:
        """Return the status."""
        return self._code

    def details(self) -> str:
        """Return the text beside the status."""
        return self._details

    def initial_metadata(self) -> Any:
        """Return what the servicer sent ahead of its answer."""
        return self._initial

    def trailing_metadata(self) -> Any:
        """Return what the servicer sent after its answer."""
        return self._trailing

    def is_active(self) -> bool:
        """Return False: a call is over when its outcome exists."""
        return False

    def time_remaining(self) -> Any:
        """Return None: there is nothing left to wait for."""
        return None

    def cancel(self) -> bool:
        """Return False: it is too late to cancel."""
        return False

    def add_callback(self, callback: Callable[[], None]) -> bool:  # noqa: ARG002  # grpc's interface
        """Return False, as grpc does for a call that is over: the callback will not be called."""
        return False

    def result(self, timeout: float | None = None) -> NoReturn:  # noqa: ARG002  # grpc's interface
        """Raise the failure."""
        raise self

    def exception(self, timeout: float | None = None) -> "InvokeRpcError":  # noqa: ARG002  # grpc's interface
        """Return the failure."""
        return self

    def traceback(self, timeout: float | None = None) -> Any:  # noqa: ARG002  # grpc's interface
        """Return where the failure was raised."""
        return self.__traceback__

    def cancelled(self) -> bool:
        """Tell whether its client cancelled it."""
        return self._code is grpc.StatusCode.CANCELLED

    def running(self) -> bool:
        """Return False: it is over."""
        return False

    def done(self) -> bool:
        """Return True: it is over."""
        return True

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """Call at once: it is over."""
        fn(self)
