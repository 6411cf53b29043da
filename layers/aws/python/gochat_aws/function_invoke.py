"""Invokes Lambda functions over one kept-alive connection, signed here: no boto3, and a deadline for each call."""

import http.client
import os
import select
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import quote, urlsplit

from gochat_aws.sigv4 import Credentials, read_environment_credentials, sign_headers

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""Request and response of a synchronous invocation (Lambda developer guide, "Lambda quotas")."""

MAX_EVENT_BYTES = 1024 * 1024
"""Payload of an asynchronous invocation (same page)."""

_IDLE_LIMIT_S = 15.0
"""A connection unused for longer is replaced: while a container is frozen the far end closes without our seeing it."""

_EVENT_TIMEOUT_S = 5.0

InvocationType = Literal["RequestResponse", "Event"]


@dataclass(frozen=True, kw_only=True)
class InvocationReply:
    """What Lambda answered: `status` is HTTP's; `function_error` is set when the function itself raised or died."""

    status: int
    payload: bytes
    function_error: str | None


class InvocationTimeoutError(Exception):
    """No answer came in time; the function may run, or have run, all the same."""


class InvocationConnectionError(Exception):
    """The connection broke before an answer came; the function may have run all the same, if the request was sent."""


class EventRefusedError(Exception):
    """Lambda did not take an asynchronous invocation: nothing will run."""


class EventInvoker(Protocol):
    """Hands work to another function without waiting for it."""

    def invoke_event(self, payload: bytes) -> None:
        """Hand over; on return Lambda holds the event durably. Raises EventRefusedError; may run it twice."""
        ...


def lambda_endpoint(region: str) -> str:
    """Return where Lambda's API is: the SDKs' own variables first, as the local stage sets them."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    override = os.environ.get("AWS_ENDPOINT_URL_LAMBDA") or os.environ.get("AWS_ENDPOINT_URL")
    return override or f"https://lambda.{region}.{suffix}"


class FunctionInvoker:
    """Invokes one function, named by ARN, alias ARN or name. Not safe for use by two threads."""

    def __init__(
        self,
        *,
        function: str,
        region: str,
        endpoint: str | None = None,
        credentials: Callable[[], Credentials] = read_environment_credentials,
    ) -> None:
        self._endpoint = (endpoint or lambda_endpoint(region)).rstrip("/")
        self._url = f"{self._endpoint}/2015-03-31/functions/{quote(function, safe='')}/invocations"
        self._region = region
        self._credentials = credentials
        self._context: ssl.SSLContext | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._used_at_s = 0.0

    def invoke(self, payload: bytes, *, timeout_s: float) -> InvocationReply:
        """Run the function and wait for its answer, at most `timeout_s`, and never twice.

        Raises InvocationTimeoutError or InvocationConnectionError; neither tells whether the function ran.
        """
        return self._send(payload, "RequestResponse", timeout_s)

    def invoke_event(self, payload: bytes) -> None:
        """Queue an invocation with Lambda, trying once more over a fresh connection; see EventInvoker."""
        try:
            try:
                reply = self._send(payload, "Event", _EVENT_TIMEOUT_S)
            except (InvocationTimeoutError, InvocationConnectionError):
                reply = self._send(payload, "Event", _EVENT_TIMEOUT_S)
        except (InvocationTimeoutError, InvocationConnectionError) as error:
            raise EventRefusedError("Lambda could not be reached") from error
        if reply.status != http.HTTPStatus.ACCEPTED:
            raise EventRefusedError(f"Lambda answered {reply.status}")

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, payload: bytes, kind: InvocationType, timeout_s: float) -> InvocationReply:
        deadline_s = time.monotonic() + timeout_s
        try:
            connection = self._fresh_connection(timeout_s)
            connection.request("POST", urlsplit(self._url).path, body=payload, headers=self._headers(payload, kind))
            if connection.sock is not None:
                connection.sock.settimeout(max(0.001, deadline_s - time.monotonic()))
            response = connection.getresponse()
            body = response.read()
        except TimeoutError as error:
            self.close()
            raise InvocationTimeoutError(f"no answer within {timeout_s:.1f} s") from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise InvocationConnectionError(str(error)) from error
        self._used_at_s = time.monotonic()
        return InvocationReply(
            status=response.status, payload=body, function_error=response.getheader("X-Amz-Function-Error")
        )

    def _headers(self, payload: bytes, kind: InvocationType) -> dict[str, str]:
        headers = {"X-Amz-Invocation-Type": kind, "Content-Type": "application/json"}
        signed = sign_headers(
            method="POST",
            url=self._url,
            service="lambda",
            region=self._region,
            credentials=self._credentials(),
            body=payload,
            epoch_s=time.time(),
            extra_headers=headers,
        )
        # Left unsigned, as the SDKs do: proxies may rewrite it. It joins the two functions' X-Ray segments.
        trace = os.environ.get("_X_AMZN_TRACE_ID")
        return {**signed, "X-Amzn-Trace-Id": trace} if trace else signed

    def _fresh_connection(self, timeout_s: float) -> http.client.HTTPConnection:
        connection = self._connection
        if connection is not None:
            idle_s = time.monotonic() - self._used_at_s
            if connection.sock is not None and idle_s < _IDLE_LIMIT_S and not _is_readable(connection):
                connection.sock.settimeout(timeout_s)
                return connection
            connection.close()
        parts = urlsplit(self._endpoint)
        if parts.scheme == "https":
            # One context for all connections: making it reads the CA bundle, 20 to 100 ms of CPU.
            self._context = self._context or ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout_s, context=self._context)
        else:
            self._connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
        return self._connection


def _is_readable(connection: http.client.HTTPConnection) -> bool:
    """Tell whether an idle connection has something to read, which can only be its end."""
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)
