"""The settings of im-logic's gRPC side."""

import re
from typing import Annotated

import msgspec

from logic.auth.ports import Limits
from logic.media.ports import MediaRules

LOCAL_STAGE = "local"

MAX_OBJECT_BYTES = 5 * 1024**3
"""What one PUT may carry (Amazon S3 user guide, "Uploading objects")."""


class RpcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the deployment says; limits are the protocol's defaults unless set."""

    stage: str
    token_public_keys: str
    token_secret_arn: str
    vapid_public_key: str
    """What browsers subscribe with to be pushed (RFC 8292)."""
    log_level: str = "INFO"
    failed_logins: int = 10
    registrations_per_hour: int | None = None
    contacts_only: bool = False
    """Whether friends alone may write to each other."""
    max_group_members: Annotated[int, msgspec.Meta(ge=1)] = 100_000
    """How many members a group may have: the one place that says it, beside the stage that sets it."""
    large_group_members: Annotated[int, msgspec.Meta(ge=2)] = 100
    """From so many members on a group is large: its members are told by the worker, in pages, and of neither typing nor
    receipts; a message then costs the same however many there are."""


class MediaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the files of messages lie, and which ones may."""

    media_endpoint: str
    """The bucket's base URL, without a slash at the end."""
    media_types: str = "image/*,audio/*,video/*,text/*,application/*"
    media_max_bytes: Annotated[int, msgspec.Meta(ge=1, le=MAX_OBJECT_BYTES)] = 100 * 1024 * 1024


def media_rules_of(settings: MediaSettings) -> MediaRules:
    """Return what may be uploaded; raises `ValueError` for a list of types that is none."""
    types = tuple(part.strip().lower() for part in settings.media_types.split(","))
    if not all(re.fullmatch(r"[a-z]+/(\*|[a-z0-9!#$&^_.+-]+)", part) for part in types):
        raise ValueError(f"GOCHAT_MEDIA_TYPES: {settings.media_types!r} is no list of image/png or image/*")
    return MediaRules(types=types, max_bytes=settings.media_max_bytes)


def limits_of(settings: RpcSettings) -> Limits:
    """Return the limits: on the local stage one address registers as many users as a test needs."""
    registrations = settings.registrations_per_hour
    if registrations is None and settings.stage != LOCAL_STAGE:
        registrations = 300
    return Limits(failed_logins=settings.failed_logins, registrations=registrations)
