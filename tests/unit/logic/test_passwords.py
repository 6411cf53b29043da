import argon2

from logic.auth.passwords import NOBODYS_HASH, hash_password, is_password


def test_a_password_is_recognised_and_no_other() -> None:
    stored = hash_password("correct horse")
    assert is_password("correct horse", stored)
    assert not is_password("correct horsf", stored)


def test_the_same_password_is_never_stored_twice_alike() -> None:
    assert hash_password("correct horse") != hash_password("correct horse")


def test_nobodys_password_is_never_right() -> None:
    assert not is_password("correct horse", None)


def test_a_user_who_does_not_exist_costs_the_same_work() -> None:
    assert argon2.extract_parameters(NOBODYS_HASH) == argon2.extract_parameters(hash_password("correct horse"))
    assert argon2.extract_parameters(NOBODYS_HASH).memory_cost == 19 * 1024


def test_a_password_may_be_typed_on_another_keyboard() -> None:
    assert is_password("cafe\u0301 au lait", hash_password("caf\u00e9 au lait"))


def test_what_is_longer_than_any_password_is_wrong_even_where_its_beginning_is_right() -> None:
    assert not is_password("x" * 129, hash_password("x" * 128))


def test_a_hash_of_another_kind_lets_nobody_in() -> None:
    assert not is_password("correct horse", "plain text")
