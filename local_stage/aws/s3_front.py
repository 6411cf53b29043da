"""Stand before S3: refuse requests that nobody signed, and answer web pages by the bucket's own CORS rules."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from ministack.services import s3

from local_stage.aws.pinned import require
from local_stage.aws.xray_api import Application, Receive, Scope, Send

require(s3, "_bucket_owner_account", "cors_preflight", "cors_response_headers")

_DENIED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)

# Generic headers that MiniStack gives to every answer of a bucket.
_CORS_PREFIX = b"access-control-"


def before(application: Application) -> Application:
    """Serve what a bucket refuses and what browsers ask first, and hand everything else to the application behind.

    MiniStack checks presigned URLs by itself (signature, signed headers, time), but lets in who signed nothing. On AWS
    a bucket without a public policy answers them with 403 (Amazon S3 user guide, "Blocking public access to your Amazon
    S3 storage").
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        bucket, _, key = scope.get("path", "").lstrip("/").partition("/")
        if scope["type"] != "http" or not bucket or s3._bucket_owner_account(bucket) is None:
            await application(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["method"] == "OPTIONS":
            await _answer(send, *s3.cors_preflight(bucket, key, headers))
            return
        cors = s3.cors_response_headers(bucket, scope["method"], headers)
        if not _is_signed(scope, headers):
            await _answer(send, 403, {"Content-Type": "application/xml", **cors}, _DENIED)
            return

        async def send_with_cors(event: dict[str, Any]) -> None:
            if event["type"] == "http.response.start":
                own = [pair for pair in event["headers"] if not pair[0].lower().startswith(_CORS_PREFIX)]
                event = {**event, "headers": own + _encoded(cors)}
            await send(event)

        await application(scope, receive, send_with_cors)

    return serve


def _is_signed(scope: Scope, headers: dict[str, str]) -> bool:
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return headers.get("authorization", "").startswith("AWS") or "X-Amz-Signature" in query


async def _answer(send: Send, status: int, headers: dict[str, Any], body: bytes) -> None:
    sized = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    sized["Content-Length"] = str(len(body))
    await send({"type": "http.response.start", "status": status, "headers": _encoded(sized)})
    await send({"type": "http.response.body", "body": body})


def _encoded(headers: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in headers.items()]
