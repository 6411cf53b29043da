import pytest

from gochat_core.settings import read_settings
from logic.rpc.settings import MediaSettings, RpcSettings, limits_of, media_rules_of

ENVIRON = {
    "GOCHAT_STAGE": "prod",
    "GOCHAT_TOKEN_PUBLIC_KEYS": "{}",
    "GOCHAT_TOKEN_SECRET_ARN": "arn",
    "GOCHAT_VAPID_PUBLIC_KEY": "key",
    "GOCHAT_KAFKA_BOOTSTRAP": "localhost:1",
}


MEDIA = {"GOCHAT_MEDIA_ENDPOINT": "https://bucket.example.org"}


def test_files_of_every_usual_kind_up_to_100_mib_may_be_sent_unless_set() -> None:
    # Templates name both variables always; empty ones count as absent.
    unset = {"GOCHAT_MEDIA_TYPES": "", "GOCHAT_MEDIA_MAX_BYTES": ""}
    rules = media_rules_of(read_settings(MediaSettings, MEDIA | unset))
    assert rules.max_bytes == 100 * 1024 * 1024
    assert rules.types == ("image/*", "audio/*", "video/*", "text/*", "application/*")
    assert rules.allows("Image/PNG; q=1")
    assert not rules.allows("font/woff2")


@pytest.mark.parametrize("types", ["image", "image/png;image/gif", "*/*", "image/*,,", "image/**"])
def test_a_list_of_types_that_is_none_keeps_the_function_from_starting(types: str) -> None:
    with pytest.raises(ValueError, match="GOCHAT_MEDIA_TYPES"):
        media_rules_of(read_settings(MediaSettings, MEDIA | {"GOCHAT_MEDIA_TYPES": types}))


@pytest.mark.parametrize("size", ["0", "-1", str(5 * 1024**3 + 1), "many"])
def test_a_largest_size_that_s3_does_not_take_keeps_the_function_from_starting(size: str) -> None:
    with pytest.raises(ValueError, match="media_max_bytes"):
        read_settings(MediaSettings, MEDIA | {"GOCHAT_MEDIA_MAX_BYTES": size})


def test_the_limits_of_the_protocol_hold_unless_set() -> None:
    limits = limits_of(read_settings(RpcSettings, ENVIRON))
    assert (limits.failed_logins, limits.registrations) == (10, 300)


def test_the_local_stage_knows_no_limit_of_registrations() -> None:
    assert limits_of(read_settings(RpcSettings, ENVIRON | {"GOCHAT_STAGE": "local"})).registrations is None


def test_a_limit_that_is_set_holds_on_every_stage() -> None:
    environ = ENVIRON | {"GOCHAT_STAGE": "local", "GOCHAT_REGISTRATIONS_PER_HOUR": "7"}
    assert limits_of(read_settings(RpcSettings, environ)).registrations == 7
