"""Reads a secret once and again after some minutes, so that a rotated one is noticed and an outage is not."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gochat_core.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

REFRESH_AFTER_S = 300.0


class CachedSecret:
    """One secret of Secrets Manager, by ARN or name, kept in the container. Never logged, never in `repr`."""

    def __init__(
        self,
        secret_id: str,
        *,
        refresh_after_s: float = REFRESH_AFTER_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret_id = secret_id
        self._refresh_after_s = refresh_after_s
        self._monotonic_s = monotonic_s
        self._client: SecretsManagerClient | None = None
        self._value: str | None = None
        self._read_at_s = 0.0

    def read(self) -> str:
        """Return the secret's text, at most 5 minutes old, or older while Secrets Manager does not answer.

        Raises Unavailable when it was never read and can't be read now.
        """
        now_s = self._monotonic_s()
        if self._value is not None and now_s - self._read_at_s < self._refresh_after_s:
            return self._value
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._value = self._fetch()
        except (BotoCoreError, ClientError) as error:
            if self._value is None:
                raise Unavailable("A secret can't be read for the moment") from error
        self._read_at_s = now_s
        return self._value

    def _fetch(self) -> str:
        if self._client is None:
            import boto3
            from botocore.config import Config

            self._client = boto3.client(
                "secretsmanager",
                config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2}),
            )
        return self._client.get_secret_value(SecretId=self._secret_id)["SecretString"]
