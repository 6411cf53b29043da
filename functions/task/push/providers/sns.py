"""Sends through SNS mobile push: platform applications for APNs and FCM, whose credentials AWS keeps."""

import re
from contextlib import suppress
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from gochat_core.clock import Clock
from task.push.providers.payloads import apns_payload, apns_priority, fcm_message
from task.push.providers.provider import Answer, Push, Refused, Sent, TokenDead, TryAgain

_DEAD = frozenset({"EndpointDisabled", "EndpointDisabledException"})
_GONE = frozenset({"NotFound", "NotFoundException"})
_NO_ENDPOINT = "No endpoint found"

# What whoever runs this can mend while the pushes rest: an expired certificate, a right that is missing.
_FOR_LATER = frozenset(
    {
        *("Throttled", "Throttling", "ThrottledException", "ThrottlingException", "InternalError"),
        *("InternalErrorException", "PlatformApplicationDisabled", "PlatformApplicationDisabledException"),
    }
)
_FORBIDDEN = 403

MAX_CONNECTIONS = 16
"""As many as there are threads of a provider (batch.py)."""

_MOST_KNOWN = 10_000
"""Endpoints that a container remembers, for half as many calls; some 250 bytes each."""

# The only place where SNS tells which one it is (Amazon SNS developer guide, "Create a platform endpoint").
_EXISTING = re.compile(r"Endpoint (arn:aws[^ ]*:sns:[^ ]+) already exists with the same Token")

_encode = msgspec.json.Encoder().encode


class SnsProvider:
    """One platform application; SNS finds the device's endpoint by its token, or makes one."""

    def __init__(self, application_arn: str, clock: Clock, *, client: Any = None) -> None:
        self._application_arn = application_arn
        self._clock = clock
        self._client = client or make_client()
        # arn:aws:sns:region:account:app/APNS_SANDBOX/name
        self._platform = application_arn.rsplit(":", 1)[-1].split("/")[1]
        self._endpoints: dict[str, str] = {}

    def service(self, push: Push) -> str:  # noqa: ARG002 - the interface's
        """There is one."""
        return ""

    def send(self, push: Push, *, timeout_s: float) -> Answer:  # noqa: ARG002 - the client has its own, and tries once
        """Publish to the device's endpoint. An endpoint that is disabled is deleted: its token may come again."""
        try:
            return self._send(push)
        except ClientError as fault:
            return _judge(fault)
        except (BotoCoreError, ResponseParserError) as fault:
            return TryAgain(reason=type(fault).__name__)

    def _send(self, push: Push) -> Answer:
        known = self._endpoints.get(push.token)
        endpoint = known or self._find_endpoint(push.token)
        if endpoint is None:
            return TokenDead(reason="invalid_token")
        try:
            self._publish(endpoint, push)
        except ClientError as fault:
            self._endpoints.pop(push.token, None)
            if _code(fault) in _DEAD:
                self._delete(endpoint)
                return TokenDead(reason="endpoint_disabled")
            if not _is_gone(fault):
                raise
            # Somebody has deleted it since; a new one, unless that was new.
            return self._send(push) if known else TryAgain(reason="endpoint_gone")
        self._remember(push.token, endpoint)
        return Sent()

    def _find_endpoint(self, token: str) -> str | None:
        """Return the endpoint of a token, made where there is none; None where SNS knows that it can be no token."""
        try:
            made = self._client.create_platform_endpoint(PlatformApplicationArn=self._application_arn, Token=token)
        except ClientError as fault:
            existing = _EXISTING.search(_text(fault))
            if existing is not None:
                return existing[1]
            if _code(fault).startswith("InvalidParameter"):
                return None
            raise
        return str(made["EndpointArn"])

    def _publish(self, endpoint: str, push: Push) -> None:
        self._client.publish(
            TargetArn=endpoint,
            MessageStructure="json",
            Message=_encode({"default": push.record.body, **self._message(push)}).decode(),
            MessageAttributes=self._attributes(push),
        )

    def _delete(self, endpoint: str) -> None:
        # If it stays, it is found disabled again, should the token ever come again.
        with suppress(ClientError, BotoCoreError, ResponseParserError):
            self._client.delete_endpoint(EndpointArn=endpoint)

    def _remember(self, token: str, endpoint: str) -> None:
        if len(self._endpoints) >= _MOST_KNOWN:
            self._endpoints.clear()
        self._endpoints[token] = endpoint

    def _message(self, push: Push) -> dict[str, str]:
        if self._platform.startswith("APNS"):
            return {self._platform: apns_payload(push)}
        return {"GCM": _encode({"fcmV1Message": {"message": fcm_message(push)}}).decode()}

    def _attributes(self, push: Push) -> dict[str, dict[str, str]]:
        ttl_s = max(1, (push.record.expires_at_ms - self._clock.now_ms()) // 1000)
        # Named after the service, not after the platform, which is still GCM (Amazon SNS developer guide, "Using the
        # Amazon SNS time to live message attribute").
        service = "FCM" if self._platform == "GCM" else self._platform
        values = {f"AWS.SNS.MOBILE.{service}.TTL": str(ttl_s)}
        if self._platform.startswith("APNS"):
            values |= {
                "AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert",
                "AWS.SNS.MOBILE.APNS.PRIORITY": apns_priority(push),
                "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": push.collapse_id,
            }
        return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def make_client() -> Any:
    """Return a client that tries once, since the sender does the retrying, and gives up in time."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "sns",
        config=Config(
            retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5, max_pool_connections=MAX_CONNECTIONS
        ),
    )


def _code(fault: ClientError) -> str:
    return str(fault.response["Error"]["Code"])


def _text(fault: ClientError) -> str:
    return str(fault.response["Error"].get("Message", ""))


def _is_gone(fault: ClientError) -> bool:
    return _code(fault) in _GONE or _NO_ENDPOINT in _text(fault)


def _judge(fault: ClientError) -> Answer:
    status = fault.response["ResponseMetadata"]["HTTPStatusCode"]
    is_for_later = _code(fault) in _FOR_LATER or status >= 500 or status in (_FORBIDDEN, 429)
    return TryAgain(reason=_code(fault)) if is_for_later else Refused(reason=_code(fault))
