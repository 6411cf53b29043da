"""UserService: decodes, calls one use case, encodes."""

import grpc

from gochat_contracts.accounts import ProfileBody
from gochat_contracts.logic import ended_pb2, users_pb2, users_pb2_grpc
from gochat_core.bodies import check_values
from gochat_core.clock import Clock
from gochat_repo.session_endings import SessionEndings
from gochat_repo.users import UserStore
from logic.groups.ports import GroupPorts
from logic.rpc.account_messages import ended_message, user_message
from logic.rpc.calls import caller
from logic.rpc.pages import page_size
from logic.users.delete_me import delete_me
from logic.users.get_me import get_me
from logic.users.get_user import get_user
from logic.users.search_users import search_users
from logic.users.update_me import update_me

Context = grpc.ServicerContext


class UserService(users_pb2_grpc.UserServiceServicer):
    """Profiles over gRPC; errors are rendered by the boundary around it."""

    def __init__(self, users: UserStore, endings: SessionEndings, groups: GroupPorts, clock: Clock) -> None:
        self._users = users
        self._endings = endings
        self._groups = groups
        self._clock = clock

    def GetMe(self, request: users_pb2.GetMeRequest, context: Context) -> users_pb2.UserResponse:  # noqa: N802, ARG002
        """Return the caller's profile."""
        return users_pb2.UserResponse(user=user_message(get_me(self._users, caller())))

    def UpdateMe(self, request: users_pb2.UpdateMeRequest, context: Context) -> users_pb2.UserResponse:  # noqa: N802, ARG002
        """Change the caller's profile."""
        display_name = request.display_name if request.HasField("display_name") else None
        avatar_url = request.avatar_url if request.HasField("avatar_url") else None
        given: dict[str, object] = {}
        if display_name is not None:
            given["display_name"] = display_name
        if avatar_url:
            given["avatar_url"] = avatar_url
        check_values(ProfileBody, given)
        user = update_me(self._users, caller(), display_name=display_name, avatar_url=avatar_url)
        return users_pb2.UserResponse(user=user_message(user))

    def DeleteMe(self, request: users_pb2.DeleteMeRequest, context: Context) -> ended_pb2.EndedSessions:  # noqa: N802, ARG002
        """Erase the caller's account."""
        return ended_message(delete_me(self._users, self._endings, self._groups, self._clock, caller()))

    def GetUser(self, request: users_pb2.GetUserRequest, context: Context) -> users_pb2.UserResponse:  # noqa: N802, ARG002
        """Return somebody's profile."""
        return users_pb2.UserResponse(user=user_message(get_user(self._users, request.user_id)))

    def SearchUsers(self, request: users_pb2.SearchUsersRequest, context: Context) -> users_pb2.SearchUsersResponse:  # noqa: N802, ARG002
        """Find people by the beginning of their username."""
        found = search_users(
            self._users,
            query=request.query,
            limit=page_size(request.limit),
            cursor=request.cursor if request.HasField("cursor") else None,
        )
        return users_pb2.SearchUsersResponse(
            users=[user_message(one) for one in found.users], next_cursor=found.next_cursor
        )
