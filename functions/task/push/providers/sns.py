"""Sends through SNS mobile push: platform applications for APNs and FCM, whose credentials AWS keeps."""

import re
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from gochat_core.clock import Clock
from task.push.providers.payloads import apns_payload, apns_priority, fcm_message
from task.push.providers.provider import Answer, Push, Refused, Sent, TokenDead, TryAgain

_BUSY = frozenset({"Throttled", "Throttling", "ThrottledException", "InternalError", "InternalErrorException"})
_DEAD = frozenset({"EndpointDisabled", "EndpointDisabledException"})

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

    def service(self, push: Push) -> str:  # noqa: ARG002 - the interface's
        """There is one."""
        return ""

    def send(self, push: Push, *, timeout_s: float) -> Answer:  # noqa: ARG002 - the client has its own, and tries once
        """Publish to the device's endpoint. An endpoint that is disabled is deleted: its token may come again."""
        try:
            endpoint = self._client.create_platform_endpoint(
                PlatformApplicationArn=self._application_arn, Token=push.token
            )["EndpointArn"]
        except ClientError as fault:
            existing = _EXISTING.search(fault.response["Error"].get("Message", ""))
            if existing is None:
                is_bad = _code(fault).startswith("InvalidParameter")
                return TokenDead(reason="invalid_token") if is_bad else _judge(fault)
            endpoint = existing[1]
        except BotoCoreError as fault:
            return TryAgain(reason=type(fault).__name__)
        return self._publish(endpoint, push)

    def _publish(self, endpoint: str, push: Push) -> Answer:
        try:
            self._client.publish(
                TargetArn=endpoint,
                MessageStructure="json",
                Message=_encode({"default": push.record.body, **self._message(push)}).decode(),
                MessageAttributes=self._attributes(push),
            )
        except ClientError as fault:
            if _code(fault) in _DEAD:
                self._client.delete_endpoint(EndpointArn=endpoint)
                return TokenDead(reason="endpoint_disabled")
            return _judge(fault)
        except BotoCoreError as fault:
            return TryAgain(reason=type(fault).__name__)
        return Sent()

    def _message(self, push: Push) -> dict[str, str]:
        if self._platform.startswith("APNS"):
            return {self._platform: apns_payload(push)}
        return {"GCM": _encode({"fcmV1Message": {"message": fcm_message(push)}}).decode()}

    def _attributes(self, push: Push) -> dict[str, dict[str, str]]:
        ttl_s = max(1, (push.record.expires_at_ms - self._clock.now_ms()) // 1000)
        values = {f"AWS.SNS.MOBILE.{self._platform}.TTL": str(ttl_s)}
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

    return boto3.client("sns", config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5))


def _code(fault: ClientError) -> str:
    return str(fault.response["Error"]["Code"])


def _judge(fault: ClientError) -> Answer:
    is_busy = _code(fault) in _BUSY or fault.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    return TryAgain(reason=_code(fault)) if is_busy else Refused(reason=_code(fault))
