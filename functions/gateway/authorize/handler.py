"""Authorizes `$connect` by signature and expiry alone, with public keys and without any network call."""

from collections.abc import Mapping
from typing import Any

from gateway.authorize.credentials import Credential, find_credential
from gateway.authorize.wiring import Wiring, wiring
from gochat_core.errors import Unauthenticated
from gochat_core.tokens import Identity


class Unauthorized(Exception):
    """Makes API Gateway answer 401.

    It looks at the error's message, which must be exactly "Unauthorized"; a policy that denies would be a 403, and any
    other exception a 500 (API Gateway developer guide, "Create a Lambda REQUEST authorizer function"). Lambda counts it
    among the function's errors, so no alarm may stand on those.
    """

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Return the policy that lets this client in, with its identity; raises Unauthorized for whoever has none."""
    parts = wiring()
    request_id = event["requestContext"]["requestId"]
    try:
        credential = find_credential(event)
        identity, ticket_id = _verify(parts, credential)
    except Unauthenticated as refusal:
        parts.logger.info("handshake refused", extra={"code": refusal.code, "request_id": request_id})
        raise Unauthorized from None
    parts.logger.info(
        "handshake",
        extra={"credential": credential.kind, "user_id": str(identity.user_id), "request_id": request_id},
    )
    return allow(event["methodArn"], identity, ticket_id)


def allow(method_arn: str, identity: Identity, ticket_id: str | None) -> dict[str, Any]:
    """Return the authorizer's answer: the policy, and the context that every later event of the connection carries.

    The policy names every route, since it is made once, at `$connect`, for the whole connection. Values of the context
    are text: numbers arrive as text anyway, and ids do not fit a JSON number.
    """
    api_and_stage = "/".join(method_arn.split("/")[:2])
    context = {
        "user_id": str(identity.user_id),
        "device_id": identity.device_id,
        "session_id": str(identity.session_id),
        "expires_at_ms": str(identity.expires_at_ms),
    }
    if ticket_id is not None:
        context["ticket_id"] = ticket_id
    return {
        "principalId": str(identity.user_id),
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api_and_stage}/*"}],
        },
        "context": context,
    }


def _verify(parts: Wiring, credential: Credential) -> tuple[Identity, str | None]:
    if credential.kind == "ticket":
        ticket = parts.verifier.verify_ticket(credential.text)
        return ticket.identity, ticket.ticket_id
    return parts.verifier.verify_access_token(credential.text), None
