"""Passwords: hashed with argon2id, checked in the same time whether or not there is such a user."""

import unicodedata

import argon2

_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""The least that OWASP's "Password Storage Cheat Sheet" recommends; 27 ms on our machines."""

NOBODYS_HASH = "$argon2id$v=19$m=19456,t=2,p=1$iG6fwkJ2hftorJ5OfH847g$ynmkux0mJs/3yd8Z1BD9A6zaCYMKgrDdK6VrjogvCtE"
"""The hash of a password that nobody knows: what a login is checked against when there is no such user."""

MAX_CHARACTERS = 128
"""No longer password can have been set, so none needs to be hashed."""


def hash_password(password: str) -> str:
    """Return what is stored; every call gives another one."""
    return _HASHER.hash(_normal(password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Tell whether the password is right; None (no such user) takes the same work and is never right."""
    given = _normal(password[:MAX_CHARACTERS])
    try:
        _HASHER.verify(password_hash or NOBODYS_HASH, given)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return password_hash is not None and len(password) <= MAX_CHARACTERS


def _normal(password: str) -> str:
    """Keyboards compose the same character differently; NIST SP 800-63B, 5.1.1.2, has it normalised."""
    return unicodedata.normalize("NFKC", password)
