"""A call that somebody does not wait for at once: it runs in a thread, and can be asked for or cancelled."""

import threading
from collections.abc import Callable
from concurrent import futures
from contextlib import suppress
from typing import Any

import grpc

from gochat_aws.invoke_outcome import InvokeRpcError

Answer = tuple[Any, InvokeRpcError]


class InvokeFuture(grpc.Call, grpc.Future):  # type: ignore[type-arg]  # at run time it takes none
    """What `stub.Method.future(...)` returns.

    Cancelling ends the waiting: an invocation can't be taken back, and its servicer does its work to the end.
    """

    def __init__(self, run: Callable[[], Answer]) -> None:
        self._run = run
        self._ended: futures.Future[Answer] = futures.Future()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        with suppress(futures.InvalidStateError):  # cancelled meanwhile: nobody waits for it
            try:
                answer = self._run()
            except Exception as fault:  # noqa: BLE001  # handed to whoever asks for the result
                self._ended.set_exception(fault)
            else:
                self._ended.set_result(answer)

    def cancel(self) -> bool:
        """End it as CANCELLED, unless it is over; tell whether it is cancelled now."""
        return self._ended.cancel()

    def cancelled(self) -> bool:
        """Tell whether it was cancelled."""
        return self._ended.cancelled()

    def running(self) -> bool:
        """Tell whether it is under way."""
        return not self._ended.done()

    def done(self) -> bool:
        """Tell whether it is over."""
        return self._ended.done()

    def result(self, timeout: float | None = None) -> Any:
        """Return the response; raises the RpcError, FutureCancelledError, or FutureTimeoutError while it runs."""
        fault = self.exception(timeout)
        if fault is not None:
            raise fault
        return self._ended.result()[0]

    def exception(self, timeout: float | None = None) -> Any:
        """Return the RpcError, or None for a success; raises as `result` does."""
        try:
            return self._ended.exception(timeout)
        except futures.CancelledError as cancelled:
            raise grpc.FutureCancelledError from cancelled
        except futures.TimeoutError as over:
            raise grpc.FutureTimeoutError from over

    def traceback(self, timeout: float | None = None) -> Any:
        """Return where the failure was raised, or None."""
        fault = self.exception(timeout)
        return None if fault is None else fault.__traceback__

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """Call with this future when it is over."""
        self._ended.add_done_callback(lambda _: fn(self))

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Call when it is over; False, without calling, if it is over already."""
        if self.done():
            return False
        self._ended.add_done_callback(lambda _: callback())
        return True

    def is_active(self) -> bool:
        """Tell whether it is under way."""
        return not self.done()

    def time_remaining(self) -> Any:
        """Return None: the thread keeps the deadline."""
        return None

    def code(self) -> grpc.StatusCode:
        """Wait for the end and return the status."""
        return self._outcome().code()

    def details(self) -> str:
        """Wait for the end and return the text beside the status."""
        return self._outcome().details()

    def initial_metadata(self) -> Any:
        """Wait for the end and return what the servicer sent ahead of its answer."""
        return self._outcome().initial_metadata()

    def trailing_metadata(self) -> Any:
        """Wait for the end and return what the servicer sent after its answer."""
        return self._outcome().trailing_metadata()

    def _outcome(self) -> InvokeRpcError:
        try:
            return self._ended.result()[1]
        except futures.CancelledError:
            return InvokeRpcError(grpc.StatusCode.CANCELLED, "the client cancelled the call")
        except InvokeRpcError as failed:
            return failed
