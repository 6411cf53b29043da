"""Our URLs of S3 objects against those that a whole S3 client of botocore makes."""

import datetime
from functools import cache
from typing import Any
from unittest import mock

import botocore.config
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_aws.s3_urls import S3Urls

EPOCH_S = 1_795_417_445
NOW = datetime.datetime.fromtimestamp(EPOCH_S, tz=datetime.UTC)
REGION = "eu-west-1"
BUCKET = "gochat-media"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
ROLE = {**KEYS, "AWS_SESSION_TOKEN": "IQoJb3Jp+/=Z2lu=="}
PLACES = {
    "aws": (f"https://{BUCKET}.s3.{REGION}.amazonaws.com", None),
    "local": (f"http://127.0.0.1:4566/{BUCKET}", "http://127.0.0.1:4566"),
}
KEY = "media/inline/383240580211006918/00112233445566778899aabbccddeeff"

mime_parts = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,20}", fullmatch=True)
mimes = st.builds(lambda kind, sub, end: f"{kind}/{sub}{end}", mime_parts, mime_parts, st.sampled_from(["", "; a=b"]))


@cache
def botocore_client(endpoint: str | None, session_token: str | None) -> Any:
    return botocore.session.Session().create_client(
        "s3",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=session_token,
        config=botocore.config.Config(
            signature_version="s3v4", s3={"addressing_style": "path" if endpoint else "virtual"}
        ),
    )


def sign_with_botocore(
    operation: str, environ: dict[str, str], endpoint: str | None, *, expires_s: int, **parameters: object
) -> str:
    client = botocore_client(endpoint, environ.get("AWS_SESSION_TOKEN"))
    wanted = {"Bucket": BUCKET, "Key": KEY, **parameters}
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        url: str = client.generate_presigned_url(operation, Params=wanted, ExpiresIn=expires_s)
    return url


@pytest.mark.parametrize("environ", [KEYS, ROLE], ids=["keys", "role"])
@pytest.mark.parametrize("place", PLACES)
def test_an_upload_s_url_is_the_one_that_botocore_writes(environ: dict[str, str], place: str) -> None:
    ours, theirs = PLACES[place]
    urls = S3Urls(ours, region=REGION, environ=environ, epoch_s=lambda: EPOCH_S)
    signed = urls.sign_put(KEY, content_type="image/png", content_length=1234, expires_s=900)
    expected = {"ContentType": "image/png", "ContentLength": 1234}
    assert signed == sign_with_botocore("put_object", environ, theirs, expires_s=900, **expected)


@pytest.mark.parametrize("environ", [KEYS, ROLE], ids=["keys", "role"])
@pytest.mark.parametrize("place", PLACES)
def test_a_download_s_url_is_the_one_that_botocore_writes(environ: dict[str, str], place: str) -> None:
    ours, theirs = PLACES[place]
    urls = S3Urls(ours, region=REGION, environ=environ, epoch_s=lambda: EPOCH_S)
    cache_control = "private, max-age=31536000, immutable"
    signed = urls.sign_get(KEY, content_disposition="attachment", cache_control=cache_control, expires_s=300)
    expected = {"ResponseCacheControl": cache_control, "ResponseContentDisposition": "attachment"}
    assert signed == sign_with_botocore("get_object", environ, theirs, expires_s=300, **expected)


@given(mime=mimes, size=st.integers(1, 5 * 1024**3))
def test_every_type_and_every_size_is_signed_as_botocore_signs_it(mime: str, size: int) -> None:
    ours, theirs = PLACES["local"]
    urls = S3Urls(ours, region=REGION, environ=KEYS, epoch_s=lambda: EPOCH_S)
    signed = urls.sign_put(KEY, content_type=mime, content_length=size, expires_s=900)
    expected = {"ContentType": mime, "ContentLength": size}
    assert signed == sign_with_botocore("put_object", KEYS, theirs, expires_s=900, **expected)
