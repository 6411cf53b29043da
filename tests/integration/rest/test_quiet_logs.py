from tests.integration.rest.conftest import PASSWORD, Rest, Written

NEW_PASSWORD = "another battery staple"
WRONG_PASSWORD = "a wrong one entirely"


def test_no_password_token_or_query_stands_in_any_log(rest: Rest, written: Written) -> None:
    user = rest.register("alice")
    login = rest.login(user)
    rest.try_login(user["username"], password=WRONG_PASSWORD)
    rest.try_login(user["username"], password=WRONG_PASSWORD, device="not a device")
    refreshed = rest.refresh(login.refresh_token, key="attempt-1").json
    rest.refresh(login.refresh_token)
    login = rest.login(user)
    rest.connect(login)
    ticket = rest.api.send("POST", "/auth/ticket", token=login.token).json["ticket"]
    rest.api.send("GET", "/users/search?q=secretquery", token=login.token)
    rest.api.send("POST", "/auth/login", body=f'{{"password": "{WRONG_PASSWORD}"')
    change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    rest.api.send("POST", "/auth/password", token=login.token, body=change)
    rest.api.send("DELETE", "/users/me", token=login.token)
    logs = written.take()
    assert logs.count('"request"') >= 12
    secrets = [PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, "secretquery", "attempt-1", ticket, login.token]
    secrets += [login.refresh_token, refreshed["access_token"], refreshed["refresh_token"], "argon2id", "PRIVATE"]
    assert [secret for secret in secrets if secret in logs] == []


def test_even_a_fault_of_ours_logs_no_secret(rest: Rest, written: Written) -> None:
    rest.rpc.database.transaction(lambda tx: tx.execute("RENAME TABLE users TO users_elsewhere"))
    try:
        answer = rest.try_login("alice-the-unlucky", password=WRONG_PASSWORD)
    finally:
        rest.rpc.database.transaction(lambda tx: tx.execute("RENAME TABLE users_elsewhere TO users"))
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "users" not in answer.text
    logs = written.take()
    assert "call failed" in logs
    assert WRONG_PASSWORD not in logs
