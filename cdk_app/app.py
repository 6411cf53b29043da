"""Entry of the CDK app: `cdk … -c stage=local|dev|prod`, or `build_app` for whoever wants the stage's templates."""

import os
import sys

# jsii greets Node releases that have come to their end with a banner that drowns the app's own messages.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "18,20,22")

from aws_cdk import App, Environment, Tags, Validations
from aws_cdk import aws_kms as kms
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from cdk_app import bundling, stages
from cdk_app.parts.access import ManagedStores
from cdk_app.parts.function import Placement
from cdk_app.parts.logic_aliases import alias_arns
from cdk_app.settings import STAGE_TAG, Stage
from cdk_app.stacks.broker import BrokerStack
from cdk_app.stacks.data import DataStack
from cdk_app.stacks.discovery import DiscoveryStack
from cdk_app.stacks.edge import EdgeStack
from cdk_app.stacks.key import KeyStack
from cdk_app.stacks.media import MediaStack
from cdk_app.stacks.monitoring import MonitoringStack
from cdk_app.stacks.network import NetworkStack
from cdk_app.stacks.services import ServicesStack
from cdk_app.stacks.web import WebStack
from cdk_app.store_settings import Managed


def build_app(app: App, stage: Stage, *, full: bool = True) -> None:
    """Put the stacks of a stage into an app; `full=False` spares byte code and wheels where only templates matter.

    Stacks: Key, Network, Data and Broker where the stores are managed, Media and Discovery, Services, Edge, and
    Monitoring on AWS.
    """
    bundler = bundling.Bundler(target=bundling.target_of(stage), full=full)
    environment = Environment(account=stage.account, region=stage.region)
    key = _key(app, stage, environment)
    if isinstance(stage.stores, Managed):
        placement, managed = _managed_stores(app, stage, stage.stores, environment, key)
    else:
        placement, managed = None, None
    media = MediaStack(
        app,
        stack_name(stage, "Media"),
        stage=stage,
        key=key,
        env=environment,
        termination_protection=stage.keep,
        description="GoChat: files that messages point at",
    )
    discovery = DiscoveryStack(
        app,
        stack_name(stage, "Discovery"),
        stage=stage,
        env=environment,
        description="GoChat: the registry of cells and services",
    )
    services = ServicesStack(
        app,
        stack_name(stage, "Services"),
        stage=stage,
        bundler=bundler,
        placement=placement,
        managed=managed,
        registry=discovery.registry,
        env=environment,
        description="GoChat: logic, task and repo",
    )
    edge = EdgeStack(
        app,
        stack_name(stage, "Edge"),
        stage=stage,
        bundler=bundler,
        placement=placement,
        managed=managed,
        secret_arn=services.secret_arn,
        registry=discovery.registry,
        logic_functions=alias_arns(stage),
        repo_function=services.repo_rpc,
        env=environment,
        description="GoChat: WebSocket and HTTP APIs",
    )
    services.add_stack_dependency(media)
    edge.add_stack_dependency(services)
    if stage.web_page:
        web = WebStack(
            app,
            stack_name(stage, "Web"),
            stage=stage,
            bundler=bundler,
            http_url=edge.http_url,
            websocket_urls=edge.websocket_urls,
            env=environment,
            description="GoChat: the web page",
        )
        web.add_stack_dependency(edge)
    if not stage.on_emulator:
        monitoring = MonitoringStack(
            app,
            stack_name(stage, "Monitoring"),
            stage=stage,
            stacks=[services, edge],
            env=environment,
            description="GoChat: alarms and dashboard",
        )
        monitoring.add_stack_dependency(edge)
    Tags.of(app).add(STAGE_TAG, stage.name)
    if not stage.on_emulator:
        _check(app)


def _check(app: App) -> None:
    """Let the synthesis fail at whatever cdk-nag finds and nobody has acknowledged beside the resource."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True), ServerlessChecks(app, verbose=True))


def stack_name(stage: Stage, part: str) -> str:
    """Name a stack: `GoChat-dev-Edge`."""
    return f"GoChat-{stage.name}-{part}"


def _key(app: App, stage: Stage, environment: Environment) -> kms.IKey | None:
    """Declare the stack of the stage's own key, if it has one."""
    if not (isinstance(stage.stores, Managed) and stage.stores.customer_key):
        return None
    return KeyStack(
        app,
        stack_name(stage, "Key"),
        stage=stage,
        env=environment,
        termination_protection=stage.keep,
        description="GoChat: the key of all data at rest",
    ).key


def _managed_stores(
    app: App, stage: Stage, settings: Managed, environment: Environment, key: kms.IKey | None
) -> tuple[Placement, ManagedStores]:
    """Declare the stacks of the stores that this app creates."""
    description = "GoChat: VPC, endpoints and security groups"
    network = NetworkStack(
        app, stack_name(stage, "Network"), stage=stage, settings=settings, env=environment, description=description
    )
    data = DataStack(
        app,
        stack_name(stage, "Data"),
        stage=stage,
        settings=settings,
        network=network,
        key=key,
        env=environment,
        termination_protection=settings.keep,
        description="GoChat: Aurora MySQL and ElastiCache",
    )
    broker = BrokerStack(
        app,
        stack_name(stage, "Broker"),
        stage=stage,
        settings=settings,
        network=network,
        key=key,
        env=environment,
        termination_protection=settings.keep,
        description="GoChat: MSK and its topics",
    )
    return network.placement, ManagedStores(
        broker_arn=broker.cluster_arn,
        database=data.database,
        database_arn=data.database_arn,
        master_secret_arn=data.master_secret_arn,
        cache=data.cache,
        key_arn=key.key_arn if key else None,
    )


def synthesize(app: App) -> None:
    """Synthesize the stage that the app's context names: `stage` (`local` by default), `bundling` (`skip` or full).

    `gateways` sets how many cells there are, g1, g2, …, in place of the stage's own. Raises ValueError for an unknown
    stage and for no cells, BundlingError when the code can't be bundled.
    """
    stage = stages.find_stage(app.node.try_get_context("stage") or "local")
    gateways = app.node.try_get_context("gateways")
    if gateways is not None:
        stage = stages.with_cells(stage, int(gateways))
    build_app(app, stage, full=app.node.try_get_context("bundling") != "skip")
    app.synth()


def main() -> int:
    """Synthesize as the CDK CLI asks for it; returns the exit code."""
    try:
        synthesize(App(analytics_reporting=False, tree_metadata=False))
    except (ValueError, bundling.BundlingError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
