"""A picture, from one phone's disk to the other's, through the deployed local stage."""

import os
import uuid
from typing import Any

import httpx
import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person

pytestmark = pytest.mark.timeout(300)

PICTURE = b"\x89PNG\r\n\x1a\n" + os.urandom(200_000)
PAGE = "https://chat.example.org"


def sign(person: Person, **body: Any) -> Any:
    answer = person.rest.post("/media", json={"mime": "image/png", "size": len(PICTURE), **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def put(signed: Any, body: bytes = PICTURE, *, mime: str | None = None, **headers: str) -> httpx.Response:
    """Upload as curl would: the bytes, the headers that the API told, nothing else."""
    sent = {**signed["headers"], **headers, **({} if mime is None else {"content-type": mime})}
    sent.pop("content-length")  # every client sets it by what it sends
    return httpx.put(signed["upload_url"], content=body, headers=sent, trust_env=False)


def test_a_picture_reaches_the_peer_byte_for_byte(alice: Person, bob: Person) -> None:
    signed = sign(alice)
    assert put(signed).status_code == 200
    content = {"url": signed["url"], "mime": "image/png", "size": len(PICTURE), "width": 3, "height": 2}
    data = {"to": bob.user_id, "client_msg_id": uuid.uuid4().hex, "type": "image", "content": content}
    with alice.connect() as at_alice, bob.connect() as at_bob:
        assert at_alice.call("message.send", data)["event"] == "ack"
        stored = at_alice.wait_event("message.stored", client_msg_id=data["client_msg_id"])["data"]
        (message,) = at_bob.wait_messages(1, stored["conversation_id"])
    assert message["content"] == content

    with httpx.Client(trust_env=False) as stranger:
        redirect = stranger.get(message["content"]["url"])
        assert (redirect.status_code, redirect.headers["cache-control"]) == (307, "private, max-age=240")
        assert redirect.headers["x-request-id"]
        fetched = stranger.get(redirect.headers["location"])
        again = stranger.get(message["content"]["url"], follow_redirects=True)
    assert (fetched.status_code, fetched.content, again.content) == (200, PICTURE, PICTURE)
    assert (fetched.headers["content-type"], fetched.headers["content-disposition"]) == ("image/png", "inline")


def test_the_store_refuses_what_was_not_signed(alice: Person) -> None:
    signed = sign(alice)
    assert put(signed, PICTURE + b"more").status_code == 403
    assert put(signed, PICTURE[:-1]).status_code == 403
    assert put(signed, mime="text/html").status_code == 403
    assert httpx.put(signed["upload_url"].partition("?")[0], content=PICTURE, trust_env=False).status_code == 403
    fetched = httpx.get(signed["url"], follow_redirects=True, trust_env=False)
    assert fetched.status_code in (403, 404), "nothing was uploaded"
    assert put(signed).status_code == 200


def test_a_web_page_is_never_shown_in_place(alice: Person) -> None:
    page = b"<script>alert(1)</script>"
    for mime in ("text/html", "image/svg+xml"):
        signed = sign(alice, mime=mime, size=len(page))
        assert put(signed, page).status_code == 200
        fetched = httpx.get(signed["url"], follow_redirects=True, trust_env=False)
        assert (fetched.content, fetched.headers["content-disposition"]) == (page, "attachment")


def test_a_browser_may_call_upload_and_fetch(alice: Person, stage: Stage) -> None:
    with httpx.Client(trust_env=False, headers={"origin": PAGE}) as page:
        asked = {"access-control-request-method": "POST"}
        wanted = "authorization,content-type,idempotency-key"
        preflight = page.options(
            f"{stage.http_url}/api/v1/media", headers={**asked, "access-control-request-headers": wanted}
        )
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
        assert set(preflight.headers["access-control-allow-headers"].split(",")) == set(wanted.split(","))
        assert {"PATCH", "DELETE", "PUT"} <= set(preflight.headers["access-control-allow-methods"].split(","))

        refused = page.get(f"{stage.http_url}/api/v1/users/me")
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
        assert set(refused.headers["access-control-expose-headers"].split(",")) == {"x-request-id", "retry-after"}

        signed = sign(alice)
        may_put = page.options(
            signed["upload_url"],
            headers={"access-control-request-method": "PUT", "access-control-request-headers": "content-type"},
        )
        assert (may_put.status_code, may_put.headers["access-control-allow-origin"]) == (200, "*")
        assert put(signed, origin=PAGE).headers["access-control-allow-origin"] == "*"
        redirect = page.get(signed["url"])
        assert redirect.headers["access-control-allow-origin"] == "*"
        # A browser that was led from one foreign origin to another says where it comes from no more.
        fetched = page.get(redirect.headers["location"], headers={"origin": "null"})
        assert (fetched.content, fetched.headers["access-control-allow-origin"]) == (PICTURE, "*")


def test_a_repeated_request_for_an_upload_leads_to_the_same_file(alice: Person) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"mime": "image/png", "size": len(PICTURE)}
    first, again = (alice.rest.post("/media", json=body, headers=key).json() for _ in range(2))
    assert put(again).status_code == 200
    assert httpx.get(first["url"], follow_redirects=True, trust_env=False).content == PICTURE
