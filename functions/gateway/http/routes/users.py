"""/users: one's own profile, somebody's, and finding people."""

import msgspec

from gateway.http import encode
from gateway.http.answers import NO_CONTENT, Answer
from gateway.http.logic_client import call
from gateway.http.request import Request
from gateway.http.routing import Route, Services
from gochat_contracts.accounts import ProfileBody
from gochat_contracts.logic import users_pb2
from gochat_core.bodies import REQUIRED
from gochat_core.errors import FieldFault, InvalidRequest


def get_me(request: Request, services: Services) -> Answer:
    """Return the caller's profile."""
    return _user(call(services.logic.users.GetMe, users_pb2.GetMeRequest(), request))


def update_me(request: Request, services: Services) -> Answer:
    """Change the caller's profile."""
    body = request.read(ProfileBody)
    message = users_pb2.UpdateMeRequest()
    if body.display_name is not msgspec.UNSET:
        message.display_name = body.display_name
    if body.avatar_url is not msgspec.UNSET:
        message.avatar_url = body.avatar_url or ""
    return _user(call(services.logic.users.UpdateMe, message, request))


def delete_me(request: Request, services: Services) -> Answer:
    """Erase the caller's account."""
    services.closer.close(call(services.logic.users.DeleteMe, users_pb2.DeleteMeRequest(), request).connections)
    return NO_CONTENT


def get_user(request: Request, services: Services) -> Answer:
    """Return a public profile."""
    return _user(call(services.logic.users.GetUser, users_pb2.GetUserRequest(user_id=request.path["user_id"]), request))


def search_users(request: Request, services: Services) -> Answer:
    """Find people by the beginning of their username."""
    if "q" not in request.query:
        raise InvalidRequest(faults=[FieldFault(field="q", message=REQUIRED)])
    message = users_pb2.SearchUsersRequest(
        query=request.query["q"], limit=request.limit(), cursor=request.query.get("cursor")
    )
    found = call(services.logic.users.SearchUsers, message, request)
    next_cursor = found.next_cursor if found.HasField("next_cursor") else None
    return Answer(value={"users": [encode.user(one) for one in found.users], "next_cursor": next_cursor})


def _user(response: users_pb2.UserResponse) -> Answer:
    return Answer(value={"user": encode.user(response.user)})


ROUTES = (
    Route(method="GET", path="/users/me", answer=get_me),
    Route(method="PATCH", path="/users/me", answer=update_me),
    Route(method="DELETE", path="/users/me", answer=delete_me),
    Route(method="GET", path="/users/search", answer=search_users),
    Route(method="GET", path="/users/<user_id>", answer=get_user),
)
