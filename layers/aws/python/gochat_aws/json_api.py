"""Calls AWS services that speak JSON 1.1, signed here: no boto3, whose import would double a function's start."""

import http.client
import os
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from gochat_aws.sigv4 import Credentials, read_environment_credentials, sign_headers
from gochat_core.errors import Unavailable

_THROTTLED = frozenset({"RequestLimitExceeded", "ThrottlingException", "Throttling", "TooManyRequestsException"})


class RefusedError(Exception):
    """The service refused a call and would refuse it again; `code` is the error's name in its API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class JsonApi(Protocol):
    """One AWS service."""

    def call(self, operation: str, parameters: Mapping[str, Any], *, host_prefix: str = "") -> dict[str, Any]:
        """Make one call; `host_prefix` as the operation's model in the SDKs names it. Never repeated here.

        Raises `Unavailable` (not reached, too late, throttled, a 5xx) or RefusedError.
        """
        ...


class HttpJsonApi:
    """One AWS service over HTTPS, a connection a call: these calls are rare. Safe for use by several threads."""

    def __init__(
        self,
        *,
        service: str,
        target: str,
        region: str,
        timeout_s: float,
        endpoint: str | None = None,
        credentials: Callable[[], Credentials] = read_environment_credentials,
    ) -> None:
        self._service = service
        self._target = target
        self._region = region
        self._timeout_s = timeout_s
        self._override = endpoint or os.environ.get("AWS_ENDPOINT_URL")
        self._credentials = credentials
        self._context: ssl.SSLContext | None = None

    def call(self, operation: str, parameters: Mapping[str, Any], *, host_prefix: str = "") -> dict[str, Any]:
        """Make one call; see JsonApi."""
        url = f"{self._endpoint(host_prefix)}/"
        body = msgspec.json.encode(parameters)
        headers = sign_headers(
            method="POST",
            url=url,
            service=self._service,
            region=self._region,
            credentials=self._credentials(),
            body=body,
            epoch_s=time.time(),
            extra_headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"{self._target}.{operation}",
            },
        )
        status, answer = self._post(url, body, headers)
        if status == http.client.OK:
            return _decode(answer)
        raise _fault(operation, status, answer)

    def _endpoint(self, host_prefix: str) -> str:
        if self._override:
            # The SDKs drop the prefix too where they are told an address (AWS_DISABLE_HOST_PREFIX_INJECTION).
            return self._override.rstrip("/")
        suffix = "amazonaws.com.cn" if self._region.startswith("cn-") else "amazonaws.com"
        return f"https://{host_prefix}{self._service}.{self._region}.{suffix}"

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        parts = urlsplit(url)
        deadline_s = time.monotonic() + self._timeout_s
        connection = self._connection(parts.scheme, parts.netloc)
        try:
            connection.request("POST", "/", body=body, headers=dict(headers))
            if connection.sock is not None:
                connection.sock.settimeout(max(0.001, deadline_s - time.monotonic()))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{self._service} can't be reached for the moment") from error
        finally:
            connection.close()

    def _connection(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        if scheme != "https":
            return http.client.HTTPConnection(netloc, timeout=self._timeout_s)
        # One context for all connections: making it reads the CA bundle, 20 to 100 ms of CPU.
        self._context = self._context or ssl.create_default_context()
        return http.client.HTTPSConnection(netloc, timeout=self._timeout_s, context=self._context)


def _decode(answer: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(answer or b"{}")
    except msgspec.DecodeError as error:
        raise Unavailable("The answer of an AWS service is no JSON") from error
    if not isinstance(value, dict):
        raise Unavailable("The answer of an AWS service is no JSON object")
    return value


def _fault(operation: str, status: int, answer: bytes) -> Unavailable | RefusedError:
    try:
        told = _decode(answer)
    except Unavailable as error:
        return error
    # `namespace#Code` or `Code:url`, as the SDKs strip it.
    code = str(told.get("__type", "")).rpartition("#")[2].partition(":")[0]
    message = str(told.get("message") or told.get("Message") or "")
    if status == http.client.TOO_MANY_REQUESTS or status >= http.client.INTERNAL_SERVER_ERROR or code in _THROTTLED:
        return Unavailable(f"{operation} was put off: {code or status}")
    return RefusedError(code or str(status), message)
