from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.rest.conftest import Login, Rest, Written, build_rest, build_rpc


def test_a_refresh_gives_the_next_pair_and_lets_the_access_token_stand(rest: Rest) -> None:
    user = rest.register("alice")
    login = rest.login(user)
    answer = rest.refresh(login.refresh_token)
    assert answer.status == 200
    assert set(answer.json) == set(login.answer)
    assert answer.json["user"] == user
    assert answer.json["refresh_token"] != login.refresh_token
    assert rest.is_accepted(Login(answer=answer.json))
    assert rest.is_accepted(login)


def test_each_next_token_works_once_more(rest: Rest) -> None:
    token = rest.login(rest.register("alice")).refresh_token
    for _ in range(5):
        answer = rest.refresh(token)
        assert answer.status == 200
        token = answer.json["refresh_token"]


def test_a_token_used_twice_ends_its_login_everywhere(rest: Rest) -> None:
    user = rest.register("alice")
    stolen, tablet = rest.login(user), rest.login(user, device="tablet")
    connection = rest.connect(stolen)
    thief = rest.refresh(stolen.refresh_token)
    owner = rest.refresh(stolen.refresh_token)
    assert (owner.status, owner.code) == (401, "unauthenticated")
    assert not rest.is_accepted(Login(answer=thief.json))
    assert rest.refresh(thief.json["refresh_token"]).code == "unauthenticated"
    assert rest.said_to(connection) == ["session.revoked"]
    assert rest.connections.deleted == [connection]
    assert rest.is_accepted(tablet)


def test_a_reuse_stands_in_the_log_of_im_logic(rest: Rest, written: Written) -> None:
    login = rest.login(rest.register("alice"))
    rest.refresh(login.refresh_token)
    written.take()
    rest.refresh(login.refresh_token)
    assert [line["code"] for line in written.lines("call")] == ["refresh_reused"]


def test_an_old_token_is_noticed_generations_later(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    latest = login
    for _ in range(3):
        latest = Login(answer=rest.refresh(latest.refresh_token, key="same").json)
    assert rest.refresh(login.refresh_token, key="same").status == 401
    assert not rest.is_accepted(latest)


def test_a_lost_answer_is_given_again_to_the_same_key(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    first = rest.refresh(login.refresh_token, key="attempt-1")
    again = rest.refresh(login.refresh_token, key="attempt-1")
    assert (first.status, again.status) == (200, 200)
    assert first.json == again.json
    assert rest.refresh(again.json["refresh_token"]).status == 200


def test_another_key_does_not_get_the_answer(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    first = rest.refresh(login.refresh_token, key="attempt-1")
    assert rest.refresh(login.refresh_token, key="attempt-2").status == 401
    assert not rest.is_accepted(Login(answer=first.json))


def test_a_minute_later_the_same_key_is_a_reuse(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    first = Login(answer=rest.refresh(login.refresh_token, key="attempt-1").json)
    rest.rpc.database.transaction(
        lambda tx: tx.execute(
            "UPDATE sessions SET rotated_at_ms = rotated_at_ms - 61000 WHERE user_id = %s",
            (first.answer["user"]["user_id"],),
        )
    )
    assert rest.refresh(login.refresh_token, key="attempt-1").status == 401
    assert not rest.is_accepted(first)


def concurrently(rest: Rest, refresh_token: str, *, key: str | None) -> list[int]:
    doors = [build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret) for _ in range(4)]
    with ThreadPoolExecutor(len(doors)) as pool:
        answers = list(pool.map(lambda door: door.refresh(refresh_token, key=key), doors))
    assert len({answer.text for answer in answers if answer.status == 200}) == 1
    return sorted(answer.status for answer in answers)


def test_refreshes_with_one_key_at_once_all_get_the_same_pair(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    assert concurrently(rest, login.refresh_token, key="attempt-1") == [200] * 4


def test_refreshes_without_a_key_at_once_are_a_reuse(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    assert concurrently(rest, login.refresh_token, key=None) == [200, 401, 401, 401]
    assert not rest.is_accepted(login)


@pytest.mark.parametrize("token", ["", "x", "A" * 60, "é", "AQ" * 1000, "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_refresh_token_is_refused(rest: Rest, token: str) -> None:
    answer = rest.refresh(token)
    assert (answer.status, answer.code) == (401, "unauthenticated")


def test_a_token_changed_in_any_place_is_refused_and_harms_nobody(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    token = login.refresh_token
    for place in range(0, len(token) - 1, 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert rest.refresh(changed).status == 401
    assert rest.refresh(token).status == 200


def test_a_login_runs_out_when_it_is_not_refreshed(rest: Rest) -> None:
    user = rest.register("alice")
    login = rest.login(user)
    rest.rpc.database.transaction(
        lambda tx: tx.execute("UPDATE sessions SET expires_at_ms = 1 WHERE user_id = %s", (user["user_id"],))
    )
    assert rest.refresh(login.refresh_token).code == "unauthenticated"


@pytest.mark.parametrize(("body", "fields"), [({}, ["refresh_token"]), ({"refresh_token": 5}, ["refresh_token"])])
def test_a_malformed_refresh_is_refused(rest: Rest, body: object, fields: list[str]) -> None:
    answer = rest.api.send("POST", "/auth/refresh", body=body)
    assert (answer.code, answer.fields) == ("invalid_request", fields)


def test_a_key_of_no_or_too_many_characters_is_refused(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    for key in ("", "x" * 256):
        answer = rest.api.send(
            "POST", "/auth/refresh", body={"refresh_token": login.refresh_token}, headers={"Idempotency-Key": key}
        )
        assert (answer.code, answer.fields) == ("invalid_request", ["Idempotency-Key"])
