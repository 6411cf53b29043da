import pytest

from tests.integration.rest.conftest import Login, Rest


@pytest.fixture
def alice(rest: Rest) -> Login:
    return rest.login(rest.register("alice"))


def test_a_profile_can_be_changed_in_parts(rest: Rest, alice: Login) -> None:
    avatar = "https://example.org/a.png"
    changed = rest.api.send("PATCH", "/users/me", token=alice.token, body={"display_name": "Älice 😀"})
    assert changed.json["user"] == alice.answer["user"] | {"display_name": "Älice 😀"}
    changed = rest.api.send("PATCH", "/users/me", token=alice.token, body={"avatar_url": avatar})
    assert changed.json["user"]["avatar_url"] == avatar
    assert rest.api.send("GET", "/users/me", token=alice.token).json == changed.json
    changed = rest.api.send("PATCH", "/users/me", token=alice.token, body={"avatar_url": None, "later": 1})
    assert changed.json["user"] == alice.answer["user"] | {"display_name": "Älice 😀"}


def test_a_change_of_nothing_answers_with_the_profile(rest: Rest, alice: Login) -> None:
    assert rest.api.send("PATCH", "/users/me", token=alice.token, body={}).json["user"] == alice.answer["user"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"display_name": ""}, ["display_name"]),
        ({"display_name": None}, ["display_name"]),
        ({"display_name": "x" * 65, "avatar_url": "ftp://x"}, ["display_name", "avatar_url"]),
        ({"avatar_url": 5}, ["avatar_url"]),
        ({"avatar_url": ""}, ["avatar_url"]),
    ],
)
def test_a_profile_that_breaks_rules_is_refused(rest: Rest, alice: Login, body: object, fields: list[str]) -> None:
    answer = rest.api.send("PATCH", "/users/me", token=alice.token, body=body)
    assert (answer.code, answer.fields) == ("invalid_request", fields)


def test_everybody_sees_a_profile_as_it_was_last_told(rest: Rest, alice: Login) -> None:
    bob = rest.login(rest.register("bob"))
    path = f"/users/{alice.answer['user']['user_id']}"
    for name in ("Alice the first", "Alice the second"):
        rest.api.send("PATCH", "/users/me", token=alice.token, body={"display_name": name})
        assert rest.api.send("GET", path, token=bob.token).json["user"]["display_name"] == name


@pytest.mark.parametrize("user_id", ["1", "0", "x", "-5", "9" * 30, "1.5"])
def test_a_user_who_does_not_exist_is_not_found(rest: Rest, alice: Login, user_id: str) -> None:
    answer = rest.api.send("GET", f"/users/{user_id}", token=alice.token)
    assert (answer.status, answer.code) == (404, "user_not_found")


def test_people_are_found_by_the_beginning_of_their_name_page_by_page(rest: Rest, alice: Login) -> None:
    stem = rest.name("carol")
    names = [f"{stem}-{letter}" for letter in "cab_"]
    for name in names:
        rest.api.send("POST", "/auth/register", body={"username": name, "password": "eight888"})
    found: list[str] = []
    cursor = ""
    for _ in range(3):
        url = f"/users/search?q={stem.upper()}&limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = rest.api.send("GET", url, token=alice.token).json
        found += [user["username"] for user in page["users"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(names)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["q"]),
        ("?q=", ["q"]),
        ("?q=a&limit=0", ["limit"]),
        ("?q=a&limit=101", ["limit"]),
        ("?q=a&limit=ten", ["limit"]),
        ("?q=a&limit=-1", ["limit"]),
        ("?q=a&limit=", ["limit"]),
        ("?q=a&cursor=nonsense", ["cursor"]),
    ],
)
def test_a_malformed_search_is_refused(rest: Rest, alice: Login, query: str, fields: list[str]) -> None:
    answer = rest.api.send("GET", "/users/search" + query, token=alice.token)
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", fields)


@pytest.mark.parametrize("query", ["%", "a%25", "%C3%A9", "_a%20b", "x" * 33])
def test_what_no_username_begins_with_finds_nobody(rest: Rest, alice: Login, query: str) -> None:
    assert rest.api.send("GET", f"/users/search?q={query}", token=alice.token).json["users"] == []
