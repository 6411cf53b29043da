"""Builds im-logic's gRPC server, once per container, from the environment."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import grpc

from gochat_aws.boundary_interceptor import BoundaryInterceptor
from gochat_aws.invoke_server import InvokeServer
from gochat_aws.kafka_producer import RecordProducer, producer_from
from gochat_aws.s3_urls import S3Urls
from gochat_aws.secrets import CachedSecret
from gochat_contracts.limits import SendLimits
from gochat_contracts.logic import (
    auth_pb2_grpc,
    contacts_pb2_grpc,
    conversations_pb2_grpc,
    groups_pb2_grpc,
    media_pb2_grpc,
    messages_pb2_grpc,
    push_pb2_grpc,
    sync_pb2_grpc,
    users_pb2_grpc,
)
from gochat_core.clock import SystemClock
from gochat_core.ids import IdMaker
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.tokens import TokenVerifier
from gochat_core.tracing import Tracer
from gochat_repo.admission import Gate
from gochat_repo.cache import Cache, cache_from
from gochat_repo.connections import Connections
from gochat_repo.idempotency_keys import IdempotencyKeys
from gochat_repo.login_failures import LoginFailures
from gochat_repo.mysql import Database, database_from
from gochat_repo.presence import Presence
from gochat_repo.read_through import ReadThrough
from gochat_repo.registrations import Registrations
from gochat_repo.session_endings import SessionEndings
from gochat_repo.sessions import SessionStore
from gochat_repo.token_bucket import Rate
from gochat_repo.users import UserStore
from logic.announce.announcer import Announcer
from logic.auth.ports import LOGIN_WINDOW_MS, REGISTRATION_WINDOW_MS, AuthPorts
from logic.contacts.ports import ContactPorts
from logic.conversations.ports import ConversationPorts
from logic.groups.ports import GroupPorts
from logic.media.ports import MediaPorts
from logic.pipeline.rest_door import RestDoor
from logic.pipeline.store_commands import CommandStore
from logic.push.ports import PushPorts
from logic.rpc.auth_service import AuthService
from logic.rpc.boundary import Boundary
from logic.rpc.contact_service import ContactService
from logic.rpc.conversation_service import ConversationService
from logic.rpc.group_service import GroupService
from logic.rpc.keyed_calls import KeyedCalls
from logic.rpc.media_service import MediaService
from logic.rpc.message_service import MessageService
from logic.rpc.push_service import PushService
from logic.rpc.settings import MediaSettings, RpcSettings, limits_of, media_rules_of
from logic.rpc.signers import SignerSource
from logic.rpc.sync_service import SyncService
from logic.rpc.user_service import UserService

SERVICE = "logic-rpc"


@cache
def server() -> InvokeServer:
    """Return this container's server."""
    return build(os.environ)


def build(
    environ: Mapping[str, str],
    *,
    read_secret: Callable[[], str] | None = None,
    producer: RecordProducer | None = None,
    database: Database | None = None,
    cache_client: Cache | None = None,
) -> InvokeServer:
    """Build a server with every service of im-logic; connects to nothing yet.

    Unless given, `read_secret` asks Secrets Manager, `producer` is Kafka, and the stores are the environment's.
    """
    settings = read_settings(RpcSettings, environ)
    stores = _Stores(database=database or database_from(environ), cache=cache_client or cache_from(environ))
    sessions = SessionStore(stores.database, stores.cache)
    boundary = _boundary(settings, environ, stores, sessions)
    invoke_server = InvokeServer([BoundaryInterceptor(boundary.wrap)])
    # Generated code asks for a grpc.Server and uses of it what InvokeServer has.
    registry = cast("grpc.Server", cast("Any", invoke_server))
    signer = SignerSource(read_secret or CachedSecret(settings.token_secret_arn).read)
    if producer is None:
        producer = producer_from(environ, client_id=SERVICE)
    groups = _group_ports(settings, stores, producer)
    _add_accounts(registry, _auth_ports(settings, stores, sessions, signer), groups)
    groups_pb2_grpc.add_GroupServiceServicer_to_server(GroupService(groups), registry)
    _add_messaging(registry, settings, stores, producer)
    push_ports = PushPorts(database=stores.database, clock=SystemClock())
    push = PushService(push_ports, vapid_public_key=settings.vapid_public_key)
    push_pb2_grpc.add_PushServiceServicer_to_server(push, registry)
    media_pb2_grpc.add_MediaServiceServicer_to_server(MediaService(_media_ports(environ)), registry)
    return invoke_server


@dataclass(frozen=True, kw_only=True)
class _Stores:
    database: Database
    cache: Cache


def _boundary(settings: RpcSettings, environ: Mapping[str, str], stores: _Stores, sessions: SessionStore) -> Boundary:
    clock = SystemClock()
    logger = make_logger(SERVICE, settings.log_level)
    limits = read_settings(SendLimits, environ)
    rate = Rate(per_s=limits.conversation_messages_per_s, burst=limits.conversation_burst())
    return Boundary(
        verifier=TokenVerifier(settings.token_public_keys, clock),
        gate=Gate(stores.cache, sessions, conversation_rate=rate),
        keyed=KeyedCalls(IdempotencyKeys(stores.database), clock=clock, logger=logger),
        clock=clock,
        logger=logger,
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        tracer=Tracer(SERVICE, environ),
    )


def _add_accounts(server: grpc.Server, ports: AuthPorts, groups: GroupPorts) -> None:
    auth_pb2_grpc.add_AuthServiceServicer_to_server(AuthService(ports), server)
    users_pb2_grpc.add_UserServiceServicer_to_server(
        UserService(ports.users, ports.endings, groups, ports.clock), server
    )


def _add_messaging(server: grpc.Server, settings: RpcSettings, stores: _Stores, producer: RecordProducer) -> None:
    clock, database = SystemClock(), stores.database
    announcer = Announcer(database, Connections(database, stores.cache), producer, clock)
    store = CommandStore(database, IdMaker(clock), clock, contacts_only=settings.contacts_only)
    door = RestDoor(database, store, announcer)
    messages_pb2_grpc.add_MessageServiceServicer_to_server(MessageService(database, door, clock), server)
    conversations = ConversationPorts(
        database=database, announcer=announcer, clock=clock, contacts_only=settings.contacts_only
    )
    conversations_pb2_grpc.add_ConversationServiceServicer_to_server(ConversationService(conversations, door), server)
    sync_pb2_grpc.add_SyncServiceServicer_to_server(SyncService(database, clock), server)
    contacts = ContactPorts(
        database=database,
        announcer=announcer,
        clock=clock,
        ids=IdMaker(clock),
        presence=Presence(database, stores.cache),
    )
    contacts_pb2_grpc.add_ContactServiceServicer_to_server(ContactService(contacts), server)


def _group_ports(settings: RpcSettings, stores: _Stores, producer: RecordProducer) -> GroupPorts:
    clock, database = SystemClock(), stores.database
    return GroupPorts(
        database=database,
        announcer=Announcer(database, Connections(database, stores.cache), producer, clock),
        clock=clock,
        ids=IdMaker(clock),
        max_members=settings.max_group_members,
        large_members=settings.large_group_members,
        contacts_only=settings.contacts_only,
    )


def _media_ports(environ: Mapping[str, str]) -> MediaPorts:
    settings = read_settings(MediaSettings, environ)
    urls = S3Urls(settings.media_endpoint, region=environ["AWS_REGION"], environ=environ)
    return MediaPorts(urls=urls, rules=media_rules_of(settings))


def _auth_ports(settings: RpcSettings, stores: _Stores, sessions: SessionStore, signer: SignerSource) -> AuthPorts:
    clock, database, cache_client = SystemClock(), stores.database, stores.cache
    return AuthPorts(
        users=UserStore(database, ReadThrough(database, cache_client)),
        sessions=sessions,
        endings=SessionEndings(database, cache_client, Connections(database, cache_client)),
        failures=LoginFailures(database, cache_client, window_ms=LOGIN_WINDOW_MS),
        registrations=Registrations(cache_client, window_ms=REGISTRATION_WINDOW_MS),
        signer=signer,
        clock=clock,
        ids=IdMaker(clock),
        limits=limits_of(settings),
    )
