"""The services: logic, task and repo functions, their mappings, the schema of the database and the signing keys."""

import hashlib
from typing import Any

from aws_cdk import CustomResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_app import bundling, catalogue
from cdk_app.acknowledgements import acknowledge_media, acknowledge_push
from cdk_app.catalogue import FunctionSpec
from cdk_app.parts.access import ManagedStores, declare_stores, external_placement
from cdk_app.parts.addresses import declare_addresses
from cdk_app.parts.code import CodeLibrary
from cdk_app.parts.custom_resource import declare_custom_resource
from cdk_app.parts.function import FunctionContext, Placement
from cdk_app.parts.kafka_topics import declare_topics
from cdk_app.parts.logic_aliases import declare_alias
from cdk_app.parts.mapping import consumer_group, declare_mapping, honours_partial_batches
from cdk_app.parts.operating import declare_audit, declare_desk
from cdk_app.parts.push_alarms import declare_push_alarms
from cdk_app.parts.redrive import declare_redrive
from cdk_app.parts.registry import REPO, Registry
from cdk_app.parts.schedule import declare_schedule
from cdk_app.parts.signing import declare_public_keys, declare_signing_secret, declare_vapid_key
from cdk_app.settings import Mapping, Stage
from cdk_app.stacks.media import media_bucket
from cdk_app.store_settings import External
from cdk_app.stores import APP_USER, DATABASE, MIGRATION_USER, allow, may_read_secrets, may_use_key
from cdk_app.topics import plan_topics

MIGRATIONS = bundling.ROOT / "layers" / "repo" / "python" / "gochat_repo" / "migrations"


class ServicesStack(Stack):
    """Everything behind the edge that is neither a store nor a network."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        bundler: bundling.Bundler,
        placement: Placement | None,
        managed: ManagedStores | None,
        registry: Registry,
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self._context = FunctionContext(
            stack=self,
            stage=stage,
            code=CodeLibrary(self, bundler),
            placement=placement or external_placement(self, stage),
            key_arn=managed.key_arn if managed else None,
        )
        self._stage = stage
        self._managed = managed
        self._registry = registry
        self._media = media_bucket(stage)
        acknowledge_media(self, stage)
        acknowledge_push(self, [arn for _, arn in stage.push_applications])
        self._stores = declare_stores(self._context, managed)
        self.secret_arn = declare_signing_secret(self._context)
        public_keys = declare_public_keys(self._context, self.secret_arn, creates=True)
        self._vapid_secret_arn, vapid_public_key = declare_vapid_key(self._context)
        self._functions({"GOCHAT_TOKEN_PUBLIC_KEYS": public_keys, "GOCHAT_VAPID_PUBLIC_KEY": vapid_public_key})

    def _functions(self, keys: dict[str, str]) -> None:
        """Declare the functions, each once the schema and the topics are there; `keys` are what clients may know."""
        stage = self._stage
        ready = [self._migration(), *self._topics()]
        mappings = stage.mappings
        contacts = {"GOCHAT_CONTACTS_ONLY": str(stage.contacts_only).lower()}
        self._consumer(catalogue.LOGIC_UPSTREAM, mappings.upstream, catalogue.UPSTREAM_TOPIC, contacts, ready)
        self._worker_redrive = declare_redrive(self._context, catalogue.TASK_WORKER)
        worker = self._consumer(catalogue.TASK_WORKER, mappings.worker, catalogue.TASK_TOPIC, {}, ready)
        self._worker_redrive.attach(worker)
        groups = {
            "GOCHAT_MAX_GROUP_MEMBERS": str(stage.max_group_members),
            "GOCHAT_LARGE_GROUP_MEMBERS": str(stage.large_group_members),
        }
        self._logic_rpc({**keys, **contacts, **groups}, ready)
        self.repo_rpc = self._repo_rpc(ready)
        self._push(worker.function_arn, ready)
        self._sweeps(ready)
        declare_audit(self._context, self._stores.database, ready)
        declare_desk(self._context, self._stores.kafka, ready)

    def _logic_rpc(self, environment: dict[str, str], ready: list[CustomResource]) -> None:
        """Declare im-logic's gRPC side with the aliases that callers use."""
        settings = {"GOCHAT_TOKEN_SECRET_ARN": self.secret_arn, **self._media_environment(), **environment}
        function = self._function(catalogue.LOGIC_RPC, settings, ready)
        for alias in self._stage.logic_aliases:
            declare_alias(self, self._registry, function, alias)

    def _consumer(
        self, spec: FunctionSpec, mapping: Mapping, topic: str, environment: dict[str, str], ready: list[CustomResource]
    ) -> lambda_.IFunction:
        """Declare a function that consumes a topic."""
        settings = {"GOCHAT_PARTIAL_BATCH": honours_partial_batches(mapping), **environment}
        function = self._function(spec, settings, ready)
        self._consume(spec, function, mapping, topic)
        return function

    def _consume(self, spec: FunctionSpec, function: lambda_.IFunction, mapping: Mapping, topic: str) -> None:
        declare_mapping(
            self,
            f"{spec.title}Mapping",
            function=function,
            mapping=mapping,
            poller_group=self._stage.poller_group,
            kafka=self._stores.kafka,
            topic=topic,
            group=consumer_group(self._stage, spec.name),
        )

    def _push(self, worker_arn: str, ready: list[CustomResource]) -> None:
        """Declare the function that sends pushes: outside the VPC, with the stores behind RepoService."""
        spec, mapping = catalogue.TASK_PUSH, self._stage.mappings.push
        group = consumer_group(self._stage, spec.name)
        function = self._context.make(
            spec,
            environment={
                "GOCHAT_PARTIAL_BATCH": honours_partial_batches(mapping),
                "GOCHAT_REPO_FUNCTION": self.repo_rpc,
                "GOCHAT_WORKER_FUNCTION": worker_arn,
                "GOCHAT_PUSH_LOG_TEXT": str(self._stage.on_emulator).lower(),
                **{f"GOCHAT_PUSH_{kind.upper()}_APPLICATION": arn for kind, arn in self._stage.push_applications},
                **self._web_push_environment(),
            },
            statements=[
                *self._stores.kafka.may_consume(catalogue.PUSH_TOPIC, group),
                # Dead letters go to the worker, which reaches the broker.
                allow(["InvokeFunction"], [self.repo_rpc, worker_arn], "lambda"),
                *self._may_push(),
            ],
            after=ready,
        )
        self._consume(spec, function, mapping, catalogue.PUSH_TOPIC)
        if not self._stage.on_emulator:
            declare_push_alarms(self, self._stage)

    def _web_push_environment(self) -> dict[str, str]:
        contact = self._stage.web_push_contact
        if not contact:
            return {}
        return {"GOCHAT_PUSH_WEB_CONTACT": contact, "GOCHAT_PUSH_VAPID_SECRET_ARN": self._vapid_secret_arn}

    def _may_push(self) -> list[iam.PolicyStatement]:
        """Grant the key of web push, and what SNS mobile push asks for: on applications and endpoints beneath them."""
        rights: list[iam.PolicyStatement] = []
        if self._stage.web_push_contact:
            rights += may_read_secrets([self._vapid_secret_arn], self._context.key_arn)
        applications = [arn for _, arn in self._stage.push_applications]
        if applications:
            endpoints = [f"{arn.replace(':app/', ':endpoint/')}/*" for arn in applications]
            rights += [
                allow(["CreatePlatformEndpoint"], applications, "sns"),
                allow(["Publish", "DeleteEndpoint"], [*applications, *endpoints], "sns"),
            ]
        return rights

    def _function(
        self, spec: FunctionSpec, environment: dict[str, str], ready: list[CustomResource]
    ) -> lambda_.IFunction:
        """Declare a function over all three stores, deployed only once schema and topics are there."""
        stores = self._stores
        topics = [plan.name for plan in plan_topics(self._stage) if plan.name != catalogue.UPSTREAM_TOPIC]
        rights = [
            *stores.kafka.may_produce(topics),
            *stores.database.may_connect(),
            *stores.cache.may_connect(),
            *self._own_rights(spec),
        ]
        return self._context.make(
            spec,
            environment={
                **stores.kafka.environment(),
                **stores.database.environment(),
                **stores.cache.environment(),
                **environment,
            },
            statements=rights,
            after=ready,
        )

    def _media_environment(self) -> dict[str, str]:
        local = declare_addresses(self, on_emulator=self._stage.on_emulator).local
        return {
            "GOCHAT_MEDIA_ENDPOINT": self._media.endpoint(local),
            # Empty ones count as absent.
            "GOCHAT_MEDIA_TYPES": ",".join(self._stage.media_types),
            "GOCHAT_MEDIA_MAX_BYTES": str(self._stage.media_max_bytes or ""),
        }

    def _sweeps(self, ready: list[CustomResource]) -> None:
        """Declare what runs every minute inside the VPC."""
        sweeps = self._stage.sweeps
        settings = {
            "GOCHAT_OFFLINE_AFTER_S": str(sweeps.offline_after_s),
            "GOCHAT_MESSAGE_RETENTION_DAYS": str(self._stage.message_retention_days or 0),
        }
        for spec, environment in ((catalogue.LOGIC_SWEEP, {}), (catalogue.TASK_SWEEP, settings)):
            declare_schedule(self._context, spec, self._function(spec, environment, ready), on=self._stage.sweeps.on)

    def _repo_rpc(self, ready: list[CustomResource]) -> str:
        """Declare RepoService and return its ARN.

        Whoever is to call it is granted lambda:InvokeFunction where that caller is declared.
        """
        database, cache = self._stores.database, self._stores.cache
        function = self._context.make(
            catalogue.REPO_RPC,
            environment={**database.environment(), **cache.environment()},
            statements=[*database.may_connect(), *cache.may_connect()],
            after=ready,
        )
        attributes = {"function": function.function_arn}
        self._registry.register(self, "RepoRpc", service=REPO, instance_id="rpc", attributes=attributes)
        return function.function_arn

    def _own_rights(self, spec: FunctionSpec) -> list[iam.PolicyStatement]:
        group = consumer_group(self._stage, spec.name)
        if spec is catalogue.LOGIC_UPSTREAM:
            return self._stores.kafka.may_consume(catalogue.UPSTREAM_TOPIC, group)
        if spec is catalogue.TASK_WORKER:
            return [*self._stores.kafka.may_consume(catalogue.TASK_TOPIC, group), *self._worker_redrive.statements()]
        if spec in (catalogue.LOGIC_SWEEP, catalogue.TASK_SWEEP):
            return []
        return [
            allow(["GetSecretValue"], [self.secret_arn], "secretsmanager"),
            *self._media.may_sign(),
            # Both the signing keys and the files.
            *may_use_key(self._context.key_arn),
        ]

    def _topics(self) -> list[CustomResource]:
        """Declare what makes the topics where the Broker stack can't."""
        if not self._stage.makes_topics_by_function:
            return []
        stores = self._stage.stores
        create = not isinstance(stores, External) or stores.kafka.create_topics
        return [declare_topics(self._context, self._stores.kafka, create=create)]

    def _migration(self) -> CustomResource:
        """Declare repo-migrate and the resource that runs it whenever a migration is added."""
        database = self._stores.database
        function = self._context.make(
            catalogue.REPO_MIGRATE,
            environment=database.environment(migrates=True),
            statements=database.may_connect(migrates=True),
        )
        properties = {
            "FunctionName": function.function_name,
            "Migrations": migrations_hash(),
            # Another database needs its schema too.
            "Address": f"{database.host}:{database.port}",
        }
        rights = [allow(["InvokeFunction"], [function.function_arn], "lambda")]
        if self._managed:
            properties |= {
                "ClusterArn": self._managed.database_arn,
                "MasterSecretArn": self._managed.master_secret_arn,
                "Database": DATABASE,
                "AppUser": APP_USER,
                "MigrationUser": MIGRATION_USER,
            }
            rights += [
                allow(["ExecuteStatement"], [self._managed.database_arn], "rds-data"),
                *may_read_secrets([self._managed.master_secret_arn], self._managed.key_arn),
            ]
        return declare_custom_resource(
            self._context,
            "Migration",
            module="migrate_database",
            properties=properties,
            statements=rights,
            timeout_s=catalogue.REPO_MIGRATE.timeout_s,
        )


def migrations_hash() -> str:
    """Give a hash over names and contents of all migrations."""
    digest = hashlib.sha256()
    for path in sorted(MIGRATIONS.glob("*.sql")):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
