from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from gochat_repo.iam_tokens import cache_token_maker, mysql_token_maker

ENVIRON = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "a/session+token==",
}
HOST = "cluster.cluster-abc.eu-central-1.rds.amazonaws.com"


@pytest.fixture
def session() -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=ENVIRON["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ENVIRON["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=ENVIRON["AWS_SESSION_TOKEN"],
        region_name=ENVIRON["AWS_REGION"],
    )


def epoch_of(token: str) -> float:
    """Return the time that a token was signed for, so that ours can be signed for the same."""
    import datetime

    date = parse_qs(urlsplit(f"https://{token}").query)["X-Amz-Date"][0]
    return datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC).timestamp()


def test_a_database_token_is_the_one_that_botocore_signs(session: boto3.Session) -> None:
    theirs = session.client("rds").generate_db_auth_token(HOST, 3306, "gochat")
    make_token = mysql_token_maker(ENVIRON, port=3306, user="gochat", epoch_s=lambda: epoch_of(theirs))
    assert make_token(HOST) == theirs


def test_a_cache_token_is_the_one_that_botocore_signs(session: boto3.Session) -> None:
    credentials = session.get_credentials()
    assert credentials is not None
    signer = RequestSigner(
        ServiceId("elasticache"), ENVIRON["AWS_REGION"], "elasticache", "v4", credentials, session.events
    )
    request = {
        "method": "GET",
        "url": "http://gochat-dev/?Action=connect&User=gochat&ResourceType=ServerlessCache",
        "body": {},
        "headers": {},
        "context": {},
    }
    signed = signer.generate_presigned_url(request, operation_name="connect", expires_in=900)
    theirs = signed.removeprefix("http://")
    make_token = cache_token_maker(ENVIRON, cache_name="GoChat-dev", user="gochat", epoch_s=lambda: epoch_of(theirs))
    assert make_token() == theirs
