"""Tells AWS's refusals in the user's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from dev_cli.failure import Failure

NOT_LOGGED_IN = "Log in (aws sso login, aws configure) or set AWS_PROFILE, then try again."


@contextmanager
def told_as_failures() -> Iterator[None]:
    """Turn what botocore raises into a Failure: what was refused, and for want of what."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, TokenRetrievalError

    try:
        yield
    except (NoCredentialsError, TokenRetrievalError) as error:
        raise Failure(f"there are no AWS credentials ({error}).", advice=NOT_LOGGED_IN) from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise Failure(f"AWS refuses {error.operation_name}: {error}", advice=_advice(code)) from error
    except BotoCoreError as error:
        raise Failure(f"AWS could not be asked: {error}") from error


def _advice(code: str) -> str:
    if code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"):
        return "The credentials lack this permission: use ones that may deploy, or have it granted."
    if code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"):
        return NOT_LOGGED_IN
    return ""
