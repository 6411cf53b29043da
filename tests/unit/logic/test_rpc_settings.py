from gochat_core.settings import read_settings
from logic.rpc.settings import RpcSettings, limits_of

ENVIRON = {
    "GOCHAT_STAGE": "prod",
    "GOCHAT_TOKEN_PUBLIC_KEYS": "{}",
    "GOCHAT_TOKEN_SECRET_ARN": "arn",
    "GOCHAT_KAFKA_BOOTSTRAP": "localhost:1",
}


def test_the_limits_of_the_protocol_hold_unless_set() -> None:
    limits = limits_of(read_settings(RpcSettings, ENVIRON))
    assert (limits.failed_logins, limits.registrations) == (10, 300)


def test_the_local_stage_knows_no_limit_of_registrations() -> None:
    assert limits_of(read_settings(RpcSettings, ENVIRON | {"GOCHAT_STAGE": "local"})).registrations is None


def test_a_limit_that_is_set_holds_on_every_stage() -> None:
    environ = ENVIRON | {"GOCHAT_STAGE": "local", "GOCHAT_REGISTRATIONS_PER_HOUR": "7"}
    assert limits_of(read_settings(RpcSettings, environ)).registrations == 7
