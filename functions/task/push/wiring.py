"""Builds the push sender's adapters once per container, from typed settings; nothing of it stands in the VPC."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import msgspec
from aws_lambda_powertools import Logger

from gochat_aws.function_invoke import EventInvoker, FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.retries import with_retries
from gochat_aws.secrets import CachedSecret
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from task.push.batch import PushBatches
from task.push.dead_letters import hand_over
from task.push.providers.log import LogProvider
from task.push.providers.provider import PushProvider
from task.push.sender import Sender

SERVICE = "task-push"

KINDS = ("apns", "fcm", "webpush")
"""What tokens there are (PUT /devices/{device_id}/push-token)."""


class PushSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What this function reads from its environment."""

    stage: str
    repo_function: str
    worker_function: str
    log_level: str = "INFO"
    partial_batch: bool = False
    push_log_text: bool = False
    """Whether the log provider writes what a notification says: for machines where nobody else reads along."""

    push_apns_application: str = ""
    push_fcm_application: str = ""
    """ARNs of the SNS platform applications; where there is none, pushes go to the log."""

    push_web_contact: str = ""
    """A mailto: or https: URL at which push services reach whoever runs this; without it, pushes go to the log."""
    push_vapid_secret_arn: str = ""


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The adapters of one container."""

    settings: PushSettings
    clock: Clock
    logger: Logger
    metrics: Metrics
    batches: PushBatches


@cache
def wire() -> Wiring:
    """Return this container's adapters."""
    return build(os.environ)


def build(environ: Mapping[str, str]) -> Wiring:
    """Build everything; nothing is connected before it is used."""
    settings = read_settings(PushSettings, environ)
    region = environ["AWS_REGION"]
    clock = SystemClock()
    logger = make_logger(SERVICE, settings.log_level)
    repo = FunctionInvoker(function=settings.repo_function, region=region)
    stub = RepoServiceStub(with_retries(InvokeChannel(lambda_transport(repo))))
    worker: Callable[[], EventInvoker] = cache(
        lambda: FunctionInvoker(function=settings.worker_function, region=region)
    )
    sender = Sender(providers(settings, logger, clock), clock)
    return Wiring(
        settings=settings,
        clock=clock,
        logger=logger,
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        batches=PushBatches(stub, sender, clock, partial(hand_over, worker)),
    )


def providers(settings: PushSettings, logger: Logger, clock: Clock) -> dict[str, PushProvider]:
    """Return the provider of each kind of token.

    What a provider stands on is imported here, because boto3 or cryptography costs a container that needs neither up
    to a fifth of a second.
    """
    found: dict[str, PushProvider] = dict.fromkeys(KINDS, LogProvider(logger, shows_text=settings.push_log_text))
    applications = {"apns": settings.push_apns_application, "fcm": settings.push_fcm_application}
    for kind, arn in applications.items():
        if arn:
            from task.push.providers.sns import SnsProvider

            found[kind] = SnsProvider(arn, clock)
    if settings.push_web_contact:
        from task.push.providers.webpush import WebPushProvider

        key = CachedSecret(settings.push_vapid_secret_arn)
        found["webpush"] = WebPushProvider(key.read, contact=settings.push_web_contact, clock=clock)
    return found
