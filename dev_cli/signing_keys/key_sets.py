"""Decides what the set of signing keys is at each step of a rotation; the form of a set is that of the deployment."""

from collections.abc import Sequence

from cdk_app.custom_resources.signing_key import KeySet, PrivateKey, make_keys

ACCESS_TOKEN_S = 15 * 60
"""How long an access token lives (`layers/core/python/gochat_core/tokens.py`)."""

SECRET_CACHE_S = 5 * 60
"""How long a container signs with what it has read before (`layers/aws/python/gochat_aws/secrets.py`)."""

OVERLAP_S = ACCESS_TOKEN_S + SECRET_CACHE_S + 10 * 60
"""How long a retired key is kept: what it signed last has run out by then, with ten minutes to spare."""


def with_new_key(keys: KeySet) -> KeySet:
    """Add a key that does not sign yet; a rotation that was cut short has added one already."""
    if waiting_key(keys):
        return keys
    return {**keys, "keys": [*keys["keys"], make_keys()["keys"][0]]}


def waiting_key(keys: KeySet) -> PrivateKey | None:
    """Give the key that was added and does not sign yet, if there is one."""
    others = (key for key in keys["keys"] if key["kid"] != keys["signing_kid"])
    return next((key for key in others if "retired_at_s" not in key), None)


def signing_with_new_key(keys: KeySet, *, now_s: float) -> KeySet:
    """Let the waiting key sign, and retire the one that did."""
    new = waiting_key(keys)
    if new is None:
        return keys
    kept: list[PrivateKey] = [
        {**key, "retired_at_s": int(now_s)} if key["kid"] == keys["signing_kid"] else key for key in keys["keys"]
    ]
    return {**keys, "signing_kid": new["kid"], "keys": kept}


def without_spent_keys(keys: KeySet, *, now_s: float) -> KeySet:
    """Drop the keys that nothing alive can have been signed with."""
    return {**keys, "keys": [key for key in keys["keys"] if not _is_spent(key, now_s)]}


def spent_at_s(keys: KeySet) -> int | None:
    """Tell when the last retired key may be dropped; None if none is retired."""
    return max((key["retired_at_s"] + OVERLAP_S for key in keys["keys"] if "retired_at_s" in key), default=None)


def kids(keys: KeySet) -> Sequence[str]:
    """Name the keys of a set."""
    return [key["kid"] for key in keys["keys"]]


def _is_spent(key: PrivateKey, now_s: float) -> bool:
    return "retired_at_s" in key and key["retired_at_s"] + OVERLAP_S <= now_s
