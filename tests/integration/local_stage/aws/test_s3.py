"""Buckets on the local AWS take and give objects by signed URL as S3's do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from botocore.config import Config

from .conftest import LocalAws

BUCKET = "media-of-tests"
KEY = "media/inline/1/00112233"
BODY = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
PAGE = "https://chat.example.org"


@pytest.fixture(scope="module")
def s3(aws: LocalAws) -> Any:
    # What signs URLs without being told the version signs them as S3 takes them no more (AWS Signature Version 2).
    client = aws.client("s3", config=Config(signature_version="s3v4"))
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_cors(
        Bucket=BUCKET,
        CORSConfiguration={
            "CORSRules": [
                {"AllowedMethods": ["PUT"], "AllowedOrigins": [PAGE], "AllowedHeaders": ["content-type"]},
                {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["etag"]},
            ]
        },
    )
    return client


def sign_put(s3: Any, **changed: Any) -> str:
    parameters = {"Bucket": BUCKET, "Key": KEY, "ContentType": "image/png", "ContentLength": len(BODY), **changed}
    url: str = s3.generate_presigned_url("put_object", Params=parameters, ExpiresIn=changed.pop("expires", 60))
    return url


def sign_get(s3: Any, **parameters: Any) -> str:
    url: str = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": KEY, **parameters})
    return url


def put(url: str, *, body: bytes = BODY, mime: str | None = "image/png", **headers: str) -> httpx.Response:
    sent = {**({} if mime is None else {"content-type": mime}), **headers}
    return httpx.put(url, content=body, headers=sent, trust_env=False)


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False)


def test_what_was_signed_is_taken_and_given_back_byte_for_byte(s3: Any) -> None:
    """Amazon S3 user guide: "Download and upload objects with presigned URLs"."""
    assert put(sign_put(s3)).status_code == 200
    answer = get(sign_get(s3, ResponseContentDisposition="attachment", ResponseCacheControl="private"))
    assert (answer.status_code, answer.content) == (200, BODY)
    assert (answer.headers["content-type"], answer.headers["content-length"]) == ("image/png", str(len(BODY)))
    assert (answer.headers["content-disposition"], answer.headers["cache-control"]) == ("attachment", "private")


@pytest.mark.parametrize(
    "wrong",
    [
        {"mime": "text/html"},
        {"mime": None},
        {"mime": "image/png; charset=utf-8"},
        {"body": BODY[:-1]},
        {"body": BODY + b"x"},
        {"body": b""},
    ],
    ids=["another type", "no type", "a parameter", "shorter", "longer", "empty"],
)
def test_another_type_or_length_than_was_signed_is_refused(s3: Any, wrong: dict[str, Any]) -> None:
    """Amazon S3 API reference: "Authenticating Requests: Using Query Parameters": signed headers must be sent so."""
    answer = put(sign_put(s3, Key="media/refused"), **wrong)
    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="media/refused")["KeyCount"] == 0


def test_a_signature_is_good_for_its_method_key_and_headers_alone(s3: Any) -> None:
    """Amazon S3 API reference: "Authenticating Requests: Using Query Parameters"."""
    url = sign_get(s3)
    assert get(url.replace("00112233", "00112234")).status_code == 403
    assert put(url).status_code == 403
    assert get(sign_put(s3)).status_code == 403
    changed = sign_get(s3, ResponseContentDisposition="attachment").replace(
        "disposition=attachment", "disposition=inline"
    )
    assert get(changed).status_code == 403
    assert get(url.replace("000000000000%2F", "AKIDSTRANGER%2F")).status_code == 403


def test_a_url_is_good_until_it_expires(s3: Any, aws: LocalAws) -> None:
    """Amazon S3 user guide: "Sharing objects with presigned URLs", expiration time."""
    expired = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": KEY}, ExpiresIn=-10)
    assert get(expired).status_code in (400, 403)


def test_nobody_reads_or_writes_unsigned(s3: Any, aws: LocalAws) -> None:
    """Amazon S3 user guide: "Blocking public access to your Amazon S3 storage"."""
    url = f"{aws.endpoint_url}/{BUCKET}"
    for answer in (get(f"{url}/{KEY}"), get(url), put(f"{url}/{KEY}"), httpx.delete(f"{url}/{KEY}", trust_env=False)):
        assert (answer.status_code, "<Code>AccessDenied</Code>" in answer.text) == (403, True)


def test_pages_of_the_rules_origins_may_upload_and_others_may_not(s3: Any) -> None:
    """Amazon S3 user guide: "Using cross-origin resource sharing (CORS)", how the rules are evaluated."""

    def ask(origin: str, method: str = "PUT", headers: str = "content-type") -> httpx.Response:
        asked = {"access-control-request-method": method, "access-control-request-headers": headers}
        return httpx.options(sign_put(s3), headers={"origin": origin, **asked}, trust_env=False)

    allowed = ask(PAGE)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, PAGE)
    assert allowed.headers["access-control-allow-headers"] == "content-type"
    for refused in (ask("https://other.example.org"), ask(PAGE, method="DELETE"), ask(PAGE, headers="x-amz-acl")):
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)
    assert put(sign_put(s3), origin=PAGE).headers["access-control-allow-origin"] == PAGE
    assert "access-control-allow-origin" not in put(sign_put(s3), origin="https://other.example.org").headers
    redirected = get(sign_get(s3), origin="null")
    assert redirected.headers["access-control-allow-origin"] == "*"
    assert redirected.headers["access-control-expose-headers"] == "etag"
    assert redirected.content == BODY
