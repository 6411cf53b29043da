"""Signs URLs of one S3 bucket with the role of the function; nothing goes over the network."""

import os
import time
from collections.abc import Callable, Mapping

from gochat_aws.sigv4 import presign_url, read_environment_credentials


class S3Urls:
    """`endpoint` is the bucket's base URL, without a slash at the end; the signatures are botocore's, byte for byte.

    A URL works as long as the credentials that signed it: Lambda renews those of a role well before they end.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        region: str,
        environ: Mapping[str, str] = os.environ,
        epoch_s: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._region = region
        self._environ = environ
        self._epoch_s = epoch_s

    def sign_put(self, key: str, *, content_type: str, content_length: int, expires_s: int) -> str:
        """Return a URL that takes one body of exactly this type and length.

        Both headers are signed: S3 refuses a request that sends others (Amazon S3 user guide, "Authenticating Requests:
        Using Query Parameters").
        """
        headers = {"content-type": content_type, "content-length": str(content_length)}
        return self._sign("PUT", key, expires_s, query={}, headers=headers)

    def sign_get(self, key: str, *, content_disposition: str, cache_control: str, expires_s: int) -> str:
        """Return a URL that gives the object, with these headers (Amazon S3 API reference, "GetObject")."""
        query = {"response-cache-control": cache_control, "response-content-disposition": content_disposition}
        return self._sign("GET", key, expires_s, query=query, headers={})

    def _sign(
        self, method: str, key: str, expires_s: int, *, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> str:
        return presign_url(
            f"{self._endpoint}/{key}",
            query=list(query.items()),
            headers=headers,
            service="s3",
            region=self._region,
            credentials=read_environment_credentials(self._environ),
            expires_s=expires_s,
            epoch_s=self._epoch_s(),
            method=method,
            payload_hash="UNSIGNED-PAYLOAD",
        )
