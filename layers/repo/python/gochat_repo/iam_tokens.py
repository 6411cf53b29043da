"""Logins without passwords: 15-minute tokens for Aurora and ElastiCache, signed locally with the function's role."""

import time
from collections.abc import Callable, Mapping

from gochat_aws.sigv4 import presign_url, read_environment_credentials

TOKEN_LIFETIME_S = 900
"""RDS user guide, "IAM database authentication"; ElastiCache user guide, "Authenticating with IAM"."""


def mysql_token_maker(
    environ: Mapping[str, str], *, port: int, user: str, epoch_s: Callable[[], float] = time.time
) -> Callable[[str], str]:
    """Return what signs a database token for a host; each call signs anew (50 µs), so no token is ever too old."""

    def make_token(host: str) -> str:
        url = presign_url(
            f"https://{host}:{port}/",
            query=[("Action", "connect"), ("DBUser", user)],
            service="rds-db",
            region=environ["AWS_REGION"],
            credentials=read_environment_credentials(environ),
            expires_s=TOKEN_LIFETIME_S,
            epoch_s=epoch_s(),
        )
        return url.removeprefix("https://")

    return make_token


def cache_token_maker(
    environ: Mapping[str, str], *, cache_name: str, user: str, epoch_s: Callable[[], float] = time.time
) -> Callable[[], str]:
    """Return what signs a token for a serverless cache; ElastiCache knows the name in lower case only."""

    def make_token() -> str:
        url = presign_url(
            f"http://{cache_name.lower()}/",
            query=[("Action", "connect"), ("User", user), ("ResourceType", "ServerlessCache")],
            service="elasticache",
            region=environ["AWS_REGION"],
            credentials=read_environment_credentials(environ),
            expires_s=TOKEN_LIFETIME_S,
            epoch_s=epoch_s(),
        )
        return url.removeprefix("http://")

    return make_token
