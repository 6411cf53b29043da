import pytest

from gochat_contracts.accounts import LoginBody, PasswordBody, ProfileBody, RefreshBody, RegisterBody
from gochat_core.bodies import check_values
from gochat_core.errors import InvalidRequest


def is_valid(**values: object) -> bool:
    try:
        check_values(RegisterBody, {"username": "alice", "password": "eight888", **values})
    except InvalidRequest:
        return False
    return True


@pytest.mark.parametrize("username", ["abc", "A.b-c_9", "x" * 32, "..."])
def test_usernames_of_three_to_thirty_two_plain_characters_are_valid(username: str) -> None:
    assert is_valid(username=username)


@pytest.mark.parametrize(
    "username", ["", "ab", "x" * 33, "a b", "älice", "alice\n", "a/c", "\u212aelvin", "a@b.c", 5, None]
)
def test_other_usernames_are_not(username: object) -> None:
    assert not is_valid(username=username)


LENGTHS = [(7, False), (8, True), (128, True), (129, False)]


@pytest.mark.parametrize(("length", "valid"), LENGTHS)
def test_passwords_have_eight_to_128_characters(length: int, valid: bool) -> None:
    assert is_valid(password="é" * length) is valid


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("Alice 😀", True),
        ("x" * 64, True),
        (None, True),
        ("x" * 65, False),
        ("", False),
        ("   ", False),
        ("a\nb", False),
    ],
)
def test_display_names_are_seen_and_stay_on_one_line(name: str | None, valid: bool) -> None:
    assert is_valid(display_name=name) is valid


def test_a_body_with_secrets_never_shows_them() -> None:
    for body in (
        RegisterBody(username="alice", password="hunter2hunter2"),
        LoginBody(username="alice", password="hunter2hunter2", device_id="d", platform="ios"),
        RefreshBody(refresh_token="hunter2hunter2"),
        PasswordBody(old_password="hunter2hunter2", new_password="hunter2hunter2"),
    ):
        assert "hunter2" not in f"{body!r} {body}"


def test_an_avatar_is_a_web_address_or_removed() -> None:
    check_values(ProfileBody, {"avatar_url": None})
    check_values(ProfileBody, {"avatar_url": "https://example.org/a.png"})
    for url in ("javascript:alert(1)", "x", "", "https://a b"):
        with pytest.raises(InvalidRequest):
            check_values(ProfileBody, {"avatar_url": url})
