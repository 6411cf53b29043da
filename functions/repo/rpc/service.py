"""RepoService: decodes, asks one store, encodes."""

import grpc

from gochat_contracts.repo import repo_pb2, repo_pb2_grpc
from gochat_core.clock import Clock
from gochat_core.errors import FieldFault, GroupNotFound, InvalidRequest, UserNotFound
from gochat_core.ids import parse_conversation_id
from gochat_core.types import CellId, GroupId, UserId
from gochat_repo.connection_checks import ConnectionChecks
from gochat_repo.connections import Connection, Connections
from gochat_repo.group_members import GroupMember, list_group_members
from gochat_repo.groups import Group, get_group
from gochat_repo.messages import list_messages_after
from gochat_repo.mysql import Database, Transaction
from gochat_repo.push_checks import PushChecks
from gochat_repo.user_status import UserStatus, UserStatuses
from gochat_repo.users import Account, UserStore
from repo.rpc.chat_messages import group_message, members_message, messages_message
from repo.rpc.push_messages import read_asked, read_results, verdicts_message

MAX_USERS = 500
"""How many users' connections one call may ask for (repo.proto)."""

MAX_CHECKS = 500
"""How many connections one call may claim for a check (repo.proto)."""

MAX_CELLS = 100
"""How many cells one call may name (repo.proto)."""

MAX_PAGE = 500
"""How many members or messages one call may ask for (repo.proto)."""

MAX_PUSHES = 500
"""How many pushes one call may bring (repo.proto)."""

MAX_ID = (1 << 63) - 1
"""No column holds more; protobuf's uint64 does."""

Context = grpc.ServicerContext


class RepoService(repo_pb2_grpc.RepoServiceServicer):
    """The stores over gRPC; who may invoke is settled by IAM, errors are rendered by the boundary around it."""

    def __init__(
        self,
        database: Database,
        users: UserStore,
        connections: Connections,
        checks: ConnectionChecks,
        statuses: UserStatuses,
        pushes: PushChecks,
        clock: Clock,
        *,
        stage: str,
        version: str,
    ) -> None:
        self._database = database
        self._users = users
        self._connections = connections
        self._checks = checks
        self._statuses = statuses
        self._pushes = pushes
        self._clock = clock
        self._stage = stage
        self._version = version

    def GetUser(self, request: repo_pb2.GetUserRequest, context: Context) -> repo_pb2.GetUserResponse:  # noqa: N802, ARG002
        """Return a user by id or (lower-case) username."""
        if request.WhichOneof("key") == "username":
            account = self._users.find_account(request.username)
        else:
            account = self._users.find_account_by_id(UserId(request.user_id))
        if account is None:
            raise UserNotFound
        return _user(account)

    def ListConnections(  # noqa: N802
        self,
        request: repo_pb2.ListConnectionsRequest,
        context: Context,  # noqa: ARG002
    ) -> repo_pb2.ListConnectionsResponse:
        """Return the open connections of several users."""
        if len(request.user_ids) > MAX_USERS:
            raise InvalidRequest(faults=[FieldFault(field="user_ids", message=f"may name at most {MAX_USERS} users")])
        held = self._connections.list_by_users([UserId(one) for one in request.user_ids])
        return repo_pb2.ListConnectionsResponse(
            connections=[_connection(one) for connections in held.values() for one in connections]
        )

    def ClaimConnectionChecks(  # noqa: N802
        self,
        request: repo_pb2.ClaimConnectionChecksRequest,
        context: Context,  # noqa: ARG002
    ) -> repo_pb2.ClaimConnectionChecksResponse:
        """Return connections of a cell that are due for a check."""
        if not 1 <= request.limit <= MAX_CHECKS:
            raise InvalidRequest(faults=[FieldFault(field="limit", message=f"must be 1 to {MAX_CHECKS}")])
        now_ms = self._clock.now_ms()
        due = self._checks.claim_due(
            CellId(request.cell_id),
            checked_before_ms=now_ms - request.unchecked_for_ms,
            now_ms=now_ms,
            limit=request.limit,
        )
        return repo_pb2.ClaimConnectionChecksResponse(connections=[_connection(one) for one in due])

    def CountConnections(  # noqa: N802
        self,
        request: repo_pb2.CountConnectionsRequest,
        context: Context,  # noqa: ARG002
    ) -> repo_pb2.CountConnectionsResponse:
        """Count the connections of each cell."""
        if len(request.cell_ids) > MAX_CELLS:
            raise InvalidRequest(faults=[FieldFault(field="cell_ids", message=f"may name at most {MAX_CELLS} cells")])
        counts = self._checks.count([CellId(one) for one in request.cell_ids])
        return repo_pb2.CountConnectionsResponse(connections=dict(counts.items()))

    def UpdateUserStatus(  # noqa: N802
        self,
        request: repo_pb2.UpdateUserStatusRequest,
        context: Context,  # noqa: ARG002
    ) -> repo_pb2.UpdateUserStatusResponse:
        """Write whether a user is online."""
        status = UserStatus(online=request.online, last_seen_ms=request.last_seen_ms)
        self._statuses.save({UserId(request.user_id): status})
        return repo_pb2.UpdateUserStatusResponse()

    def RecheckPushes(  # noqa: N802
        self,
        request: repo_pb2.RecheckPushesRequest,
        context: Context,  # noqa: ARG002
    ) -> repo_pb2.RecheckPushesResponse:
        """Claim pushes that are about to be sent, or say why they are not."""
        _check_count("pushes", len(request.pushes))
        ready = self._pushes.recheck(read_asked(request), now_ms=self._clock.now_ms())
        return verdicts_message(ready)

    def LogPushResults(  # noqa: N802
        self,
        request: repo_pb2.LogPushResultsRequest,
        context: Context,  # noqa: ARG002
    ) -> repo_pb2.LogPushResultsResponse:
        """Write what became of pushes, and forget dead tokens."""
        _check_count("results", len(request.results))
        results, dead = read_results(request)
        self._pushes.log_results(results, dead, now_ms=self._clock.now_ms())
        return repo_pb2.LogPushResultsResponse()

    def GetGroup(self, request: repo_pb2.GetGroupRequest, context: Context) -> repo_pb2.GetGroupResponse:  # noqa: N802, ARG002
        """Return a group."""
        return group_message(self._database.read(lambda tx: _access_group(tx, request.group_id)))

    def ListGroupMembers(  # noqa: N802
        self,
        request: repo_pb2.ListGroupMembersRequest,
        context: Context,  # noqa: ARG002
    ) -> repo_pb2.ListGroupMembersResponse:
        """Return a page of a group's members."""
        _check_page(request.limit)

        def work(tx: Transaction) -> list[GroupMember]:
            group = _access_group(tx, request.group_id)
            after = UserId(request.after_user_id)
            return list_group_members(tx, group.conversation_id, after=after, limit=request.limit)

        return members_message(self._database.read(work))

    def ListMessages(self, request: repo_pb2.ListMessagesRequest, context: Context) -> repo_pb2.ListMessagesResponse:  # noqa: N802, ARG002
        """Return a page of a conversation's messages; raises `ConversationNotFound` for what can't be an id."""
        _check_page(request.limit)
        conversation_id, after_seq = parse_conversation_id(request.conversation_id), min(request.after_seq, MAX_ID)
        return messages_message(
            self._database.read(
                lambda tx: list_messages_after(tx, conversation_id, after_seq=after_seq, limit=request.limit)
            )
        )

    def CheckHealth(self, request: repo_pb2.CheckHealthRequest, context: Context) -> repo_pb2.CheckHealthResponse:  # noqa: N802, ARG002
        """Answer without touching a store."""
        return repo_pb2.CheckHealthResponse(stage=self._stage, version=self._version)


def _access_group(tx: Transaction, group_id: int) -> Group:
    """Return a group; raises `GroupNotFound`."""
    group = get_group(tx, GroupId(group_id)) if group_id <= MAX_ID else None
    if group is None:
        raise GroupNotFound
    return group


def _check_page(limit: int) -> None:
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidRequest(faults=[FieldFault(field="limit", message=f"must be 1 to {MAX_PAGE}")])


def _check_count(field: str, count: int) -> None:
    if count > MAX_PUSHES:
        raise InvalidRequest(faults=[FieldFault(field=field, message=f"may be at most {MAX_PUSHES}")])


def _connection(one: Connection) -> repo_pb2.Connection:
    return repo_pb2.Connection(
        user_id=one.user_id,
        device_id=one.device_id,
        session_id=one.session_id,
        cell_id=one.cell_id,
        connection_id=one.connection_id,
        connected_at_ms=one.connected_at_ms,
    )


def _user(account: Account) -> repo_pb2.GetUserResponse:
    user = account.user
    return repo_pb2.GetUserResponse(
        user_id=user.user_id,
        username=user.username,
        display_name=user.display_name,
        avatar_url=user.avatar_url,
        created_at_ms=user.created_at_ms,
        last_login_at_ms=account.last_login_at_ms,
    )
