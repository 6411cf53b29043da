"""Reads how to log in to a store that exists already: its secret in Secrets Manager, as JSON."""

import json
from collections.abc import Callable

from gochat_aws.secrets import CachedSecret

REFRESH_AFTER_S = 60.0
"""How old a password may be: logins are refused that long after a rotation, and tried again."""


class StoreSecret:
    """One secret: `password`, and `ca` (PEM) where no public authority signs the store's certificate.

    Whatever else stands in it is left alone, so secrets in the form that RDS writes can be used as they are.
    """

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def password(self) -> str:
        """Return the password of now; raises Unavailable when the secret can't be read, ValueError when it has none."""
        password = self._value("password")
        if password is None:
            raise ValueError("the secret of a store holds no password")
        return password

    def certificate_authority(self) -> str | None:
        """Return the root that the store's certificate must lead to, or None: a public one will do."""
        return self._value("ca")

    def _value(self, name: str) -> str | None:
        try:
            value = json.loads(self._read()).get(name)
        except (ValueError, AttributeError):
            # `from None`: the cause quotes the secret's text.
            raise ValueError("the secret of a store is no JSON object") from None
        return str(value) if value else None


def store_secret(secret_arn: str) -> StoreSecret:
    """Return the secret of this ARN; it is read when it is first needed."""
    return StoreSecret(CachedSecret(secret_arn, refresh_after_s=REFRESH_AFTER_S).read)
