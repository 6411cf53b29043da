"""Rotates the keys that tokens are signed with, so that no token turns bad before its time."""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

from cdk_app.custom_resources.signing_key import KeySet, make_keys, read_keys
from dev_cli.aws.stacks import deployed_stacks, move_parameter
from dev_cli.aws.target import Target
from dev_cli.failure import Failure
from dev_cli.signing_keys import key_sets

REVISION = "TokenKeysRevision"
"""The parameter of every stack that hands out public keys (`cdk_app/parts/signing.py`)."""

PUBLIC_KEYS = "GOCHAT_TOKEN_PUBLIC_KEYS"

Tell = Callable[[str], None]


def rotate(target: Target, *, now_s: float, tell: Tell, pause: Callable[[float], None] = time.sleep) -> None:
    """Sign with a new key from now on; cut short anywhere it may be given again, and goes on where it was.

    Whoever verifies learns of the new key before anybody signs with it, and keeps the old one as long as tokens live.
    """
    keys = key_sets.with_new_key(key_sets.without_spent_keys(_read(target), now_s=now_s))
    new = key_sets.waiting_key(keys)
    assert new is not None
    _write(target, keys)
    tell(f"The secret holds the new key {new['kid']}; tokens are still signed with {keys['signing_kid']}.")
    _publish(target, keys, tell=tell, pause=pause)
    keys = key_sets.signing_with_new_key(keys, now_s=now_s)
    _write(target, keys)
    tell(f"Tokens are signed with {keys['signing_kid']} from now on, within 5 minutes by every container.")


def drop_spent_keys(target: Target, *, now_s: float, tell: Tell, pause: Callable[[float], None] = time.sleep) -> None:
    """Forget the keys that were retired long enough ago; Failure if it is too early."""
    keys = _read(target)
    if key_sets.waiting_key(keys):
        raise Failure(
            "a rotation was cut short: its new key does not sign yet.", advice="Finish it first, without --finish."
        )
    left = key_sets.without_spent_keys(keys, now_s=now_s)
    spent_at_s = key_sets.spent_at_s(left)
    if spent_at_s is not None:
        at = time.strftime("%H:%M:%S", time.localtime(spent_at_s))
        raise Failure("tokens that the old key signed are still good.", advice=f"Try again after {at}.")
    _write(target, left)
    _publish(target, left, tell=tell, pause=pause)
    tell(f"Only {left['signing_kid']} is left.")


def replace_all(target: Target, *, tell: Tell, pause: Callable[[float], None] = time.sleep) -> None:
    """Replace every key, the refresh tokens' too: all tokens there are turn bad, and everybody has to log in again."""
    _read(target)
    keys = make_keys()
    _write(target, keys)
    tell(f"The secret holds nothing but the new key {keys['signing_kid']}.")
    _publish(target, keys, tell=tell, pause=pause)
    tell("Every token of before is refused from now on; open connections end within two hours.")


def secret_name(target: Target) -> str:
    """Name the secret (`cdk_app/parts/signing.py`)."""
    return f"{target.stage.prefix}/token-signing"


def _read(target: Target) -> KeySet:
    client = target.client("secretsmanager")
    try:
        keys = read_keys(client, secret_name(target))
    except ValueError as fault:
        raise Failure(f"{secret_name(target)}: {fault}") from fault
    if keys is None:
        raise Failure(
            f"there is no secret {secret_name(target)} with keys in {target.stage.region}.",
            advice=f"Is the stage deployed? ./dev deploy --stage {target.stage.name}",
        )
    return keys


def _write(target: Target, keys: KeySet) -> None:
    target.client("secretsmanager").put_secret_value(SecretId=secret_name(target), SecretString=json.dumps(keys))


def _publish(target: Target, keys: KeySet, *, tell: Tell, pause: Callable[[float], None]) -> None:
    """Let every function that verifies know exactly these keys, and make sure that they do."""
    revision = hashlib.sha256(",".join(sorted(key_sets.kids(keys))).encode()).hexdigest()[:16]
    for stack in deployed_stacks(target):
        if REVISION in stack.parameters:
            tell(f"Updating {stack.name} …")
            move_parameter(target, stack, name=REVISION, value=revision, pause=pause)
    behind = [name for name, known in _verifiers(target).items() if known != set(key_sets.kids(keys))]
    if behind:
        raise Failure(
            f"these functions were not told of the keys: {', '.join(sorted(behind))}.",
            advice=f"./dev deploy --stage {target.stage.name}, then give this command again: it goes on where it was.",
        )


def _verifiers(target: Target) -> dict[str, set[str]]:
    """Map each function that verifies tokens, and each alias by which it is called, to the keys that it knows."""
    client = target.client("lambda")
    found: dict[str, set[str]] = {}
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            if not name.startswith(f"{target.stage.prefix}-") or PUBLIC_KEYS not in _variables(function):
                continue
            found[name] = _known_keys(function)
            for alias in client.list_aliases(FunctionName=name)["Aliases"]:
                version = client.get_function_configuration(FunctionName=name, Qualifier=alias["Name"])
                found[f"{name}:{alias['Name']}"] = _known_keys(version)
    return found


def _variables(function: dict[str, Any]) -> dict[str, str]:
    return dict(function.get("Environment", {}).get("Variables", {}))


def _known_keys(function: dict[str, Any]) -> set[str]:
    return {key["kid"] for key in json.loads(_variables(function)[PUBLIC_KEYS])["keys"]}
