"""Our signatures against botocore's, byte for byte."""

import datetime
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_aws.sigv4 import (
    ConnectionsSigner,
    Credentials,
    Method,
    MissingCredentialsError,
    presign_url,
    read_environment_credentials,
    sign_headers,
)

EPOCH_S = 1_795_417_445
NOW = datetime.datetime.fromtimestamp(EPOCH_S, tz=datetime.UTC)
REGION = "eu-west-1"
ENDPOINTS = (
    "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
    "http://127.0.0.1:4566/_api/a1b2c3d4/local~stage/",
    "https://ws.example.org",
    "http://[::1]:8080/dev",
)
KEYS = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
ROLE = Credentials(access_key_id="ASIAEXAMPLE", secret_access_key="secret", session_token="IQoJb3Jp+/=Z2lu==")

connection_ids = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=40).filter(
    lambda text: text not in (".", "..")
)


def botocore_credentials(credentials: Credentials) -> botocore.credentials.Credentials:
    return botocore.credentials.Credentials(
        credentials.access_key_id, credentials.secret_access_key, credentials.session_token
    )


def sign_with_botocore(method: str, url: str, body: bytes, credentials: Credentials, service: str) -> dict[str, str]:
    request = botocore.awsrequest.AWSRequest(method=method, url=url, data=body or None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        botocore.auth.SigV4Auth(botocore_credentials(credentials), service, REGION).add_auth(request)
    return dict(request.headers.items())


@given(
    connection_id=connection_ids,
    body=st.binary(max_size=200),
    endpoint=st.sampled_from(ENDPOINTS),
    credentials=st.sampled_from((KEYS, ROLE)),
    method=st.sampled_from(("POST", "GET", "DELETE")),
)
def test_a_request_to_a_connection_is_signed_as_botocore_signs_it(
    connection_id: str, body: bytes, endpoint: str, credentials: Credentials, method: Method
) -> None:
    body = body if method == "POST" else b""
    signer = ConnectionsSigner(endpoint=endpoint, region=REGION, credentials=credentials, epoch_s=EPOCH_S)

    for _ in range(2):  # the second time everything comes from what the signer remembers
        written = signer.write_request(method, connection_id, body)

    head, _, sent_body = written.partition(b"\r\n\r\n")
    request_line, *lines = head.decode().split("\r\n")
    sent_method, path, version = request_line.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    origin = "/".join(endpoint.split("/")[:3])
    expected = sign_with_botocore(method, origin + path, body, credentials, "execute-api")
    assert sent_method == method
    assert version == "HTTP/1.1"
    assert sent_body == body
    assert headers["Authorization"] == expected["Authorization"]
    assert headers["X-Amz-Date"] == expected["X-Amz-Date"]
    assert headers.get("X-Amz-Security-Token") == credentials.session_token
    assert headers.get("Content-Length") == (str(len(body)) if method == "POST" else None)


@pytest.mark.parametrize("connection_id", ["", ".", ".."])
def test_an_id_that_would_name_another_resource_is_refused(connection_id: str) -> None:
    signer = ConnectionsSigner(endpoint=ENDPOINTS[0], region=REGION, credentials=KEYS, epoch_s=EPOCH_S)

    with pytest.raises(ValueError, match="connection id"):
        signer.write_request("POST", connection_id, b"{}")


@given(body=st.binary(max_size=100), credentials=st.sampled_from((KEYS, ROLE)))
def test_a_single_request_is_signed_as_botocore_signs_it(body: bytes, credentials: Credentials) -> None:
    url = "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1/invocations"

    headers = sign_headers(
        method="POST", url=url, service="lambda", region=REGION, credentials=credentials, body=body, epoch_s=EPOCH_S
    )

    # botocore leaves Host to its HTTP client and signs it from the url; we send the same one.
    assert headers.pop("Host") == "lambda.eu-west-1.amazonaws.com"
    assert headers == sign_with_botocore("POST", url, body, credentials, "lambda")


@given(
    user=st.text(st.characters(codec="utf-8"), min_size=1, max_size=30),
    url=st.sampled_from(("https://db.eu-west-1.rds.amazonaws.com:3306/", "http://gochat-cache/", "https://h:443/")),
    service=st.sampled_from(("rds-db", "elasticache")),
    credentials=st.sampled_from((KEYS, ROLE)),
)
def test_a_presigned_url_is_the_one_that_botocore_writes(
    user: str, url: str, service: str, credentials: Credentials
) -> None:
    query = [("Action", "connect"), ("User", user), ("ResourceType", "ServerlessCache")]

    ours = presign_url(
        url, query=query, service=service, region=REGION, credentials=credentials, expires_s=900, epoch_s=EPOCH_S
    )

    request = botocore.awsrequest.AWSRequest(method="GET", url=url, params=dict(query))
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        botocore.auth.SigV4QueryAuth(botocore_credentials(credentials), service, REGION, expires=900).add_auth(request)
    assert ours == request.url


def test_credentials_are_read_from_the_environment_and_stay_out_of_repr() -> None:
    credentials = read_environment_credentials(
        {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_SESSION_TOKEN": "hidden too"}
    )

    assert (credentials.secret_access_key, credentials.session_token) == ("hidden", "hidden too")
    assert "hidden" not in repr(credentials)


def test_missing_credentials_are_named() -> None:
    with pytest.raises(MissingCredentialsError, match="AWS_SECRET_ACCESS_KEY"):
        read_environment_credentials({"AWS_ACCESS_KEY_ID": "id"})
