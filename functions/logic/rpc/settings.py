"""The settings of im-logic's gRPC side."""

from typing import Literal

import msgspec

from logic.auth.ports import Limits

LOCAL_STAGE = "local"


class RpcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the deployment says; limits are the protocol's defaults unless set."""

    stage: str
    token_public_keys: str
    token_secret_arn: str
    kafka_bootstrap: str
    kafka_auth: Literal["none", "iam"] = "none"
    log_level: str = "INFO"
    failed_logins: int = 10
    registrations_per_hour: int | None = None


def limits_of(settings: RpcSettings) -> Limits:
    """Return the limits: on the local stage one address registers as many users as a test needs."""
    registrations = settings.registrations_per_hour
    if registrations is None and settings.stage != LOCAL_STAGE:
        registrations = 300
    return Limits(failed_logins=settings.failed_logins, registrations=registrations)
