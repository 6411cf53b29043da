"""The edge: the HTTP API and, for each cell, a WebSocket API with the functions at either end of its frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_app import bundling, catalogue
from cdk_app.acknowledgements import acknowledge, acknowledge_connections
from cdk_app.parts.access import ManagedStores, declare_stores, external_placement
from cdk_app.parts.addresses import declare_addresses, pin_api_id
from cdk_app.parts.canary import declare_canary
from cdk_app.parts.code import CodeLibrary
from cdk_app.parts.domains import map_cells, map_http
from cdk_app.parts.function import FunctionContext, Placement, declare_log_group, vended_logs
from cdk_app.parts.http_api import add_http_stage, cors_of
from cdk_app.parts.log_account import declare_log_account
from cdk_app.parts.mapping import consumer_group, declare_mapping, honours_partial_batches
from cdk_app.parts.prober import declare_prober
from cdk_app.parts.redrive import declare_redrive
from cdk_app.parts.registry import GATEWAY, Registry
from cdk_app.parts.schedule import declare_schedule
from cdk_app.parts.signing import declare_public_keys
from cdk_app.parts.watched_apis import watch_certificate
from cdk_app.parts.websocket_api import add_routes, add_stage
from cdk_app.settings import Mapping, Stage
from cdk_app.stores import allow
from cdk_app.topics import plan_topics

# The local AWS's ids of the APIs.
_HTTP_API_ID = "0c4a7000"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What others need to know of a cell."""

    api: apigateway.WebSocketApi
    stage: apigateway.CfnStage
    websocket_url: str
    connections_endpoint: str
    websocket_function: str


class EdgeStack(Stack):
    """Everything that a client speaks to."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        bundler: bundling.Bundler,
        placement: Placement | None,
        managed: ManagedStores | None,
        secret_arn: str,
        logic_functions: Sequence[str],
        repo_function: str,
        registry: Registry,
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self._stage = stage
        self._repo_function = repo_function
        self._registry = registry
        self._context = FunctionContext(
            stack=self,
            stage=stage,
            code=CodeLibrary(self, bundler),
            placement=placement or external_placement(self, stage),
            key_arn=managed.key_arn if managed else None,
        )
        self._stores = declare_stores(self._context, managed)
        self._addresses = declare_addresses(self, on_emulator=stage.on_emulator, domains=stage.domains)
        self._public_keys = declare_public_keys(self._context, secret_arn, creates=False)
        self._account = declare_log_account(self)
        cells = [self._cell(cell_id, number) for number, cell_id in enumerate(stage.cells)]
        self.websocket_urls = [cell.websocket_url for cell in cells]
        if stage.domains:
            served = [(cell_id, cell.api.api_id, cell.stage) for cell_id, cell in zip(stage.cells, cells, strict=True)]
            map_cells(self, stage.domains, served)
            watch_certificate(self, stage)
        self.http_url = self._http_api(cells, logic_functions)
        asked = [*logic_functions, *(cell.websocket_function for cell in cells)]
        declare_prober(self._context, registry, repo_function=repo_function, functions=asked)
        declare_canary(self._context, http_url=self.http_url)

    def _cell(self, cell_id: str, number: int) -> Cell:
        """Declare one cell: its API, its functions and the mapping of its downstream topic."""
        stage = self._stage
        title = f"Cell{cell_id.capitalize()}"
        api = apigateway.WebSocketApi(
            self, title, api_name=f"{stage.prefix}-{cell_id}", route_selection_expression="$request.body.action"
        )
        if stage.on_emulator:
            pin_api_id(api, f"0c4a70{number + 1:02x}")
        name = vended_logs("apigateway", f"{stage.prefix}-{cell_id}")
        log_group = declare_log_group(self, f"{title}AccessLogs", stage=stage, name=name)
        websocket = self._websocket(cell_id)
        cell = Cell(
            api=api,
            stage=add_stage(api, stage=stage, log_group=log_group),
            websocket_function=websocket.function_arn,
            websocket_url=self._addresses.websocket(api.api_id, stage.name, cell_id),
            connections_endpoint=self._addresses.connections(api.api_id, stage.name),
        )
        authorize = self._context.make(
            catalogue.GATEWAY_AUTHORIZE,
            cell_id=cell_id,
            environment={"GOCHAT_CELL_ID": cell_id, "GOCHAT_TOKEN_PUBLIC_KEYS": self._public_keys},
        )
        add_routes(api, authorize=authorize, websocket=websocket)
        cell.stage.node.add_dependency(self._account)
        topic, bulk = catalogue.downstream_topic(cell_id), catalogue.bulk_downstream_topic(cell_id)
        self._deliver(catalogue.GATEWAY_DELIVER, stage.mappings.deliver, topic, cell, cell_id, websocket)
        self._deliver(catalogue.GATEWAY_DELIVER_BULK, stage.mappings.deliver_bulk, bulk, cell, cell_id, websocket)
        self._sweep(cell, cell_id, websocket.function_arn)
        self._register(cell, cell_id)
        suffix = "" if number == 0 else cell_id.capitalize()
        CfnOutput(self, f"WebSocketUrl{suffix}", value=cell.websocket_url)
        CfnOutput(self, f"ConnectionsEndpoint{suffix}", value=cell.connections_endpoint)
        return cell

    def _register(self, cell: Cell, cell_id: str) -> None:
        """Register a cell: where clients connect, and the function that answers for its health."""
        attributes = {
            "endpoint": cell.websocket_url,
            "function": cell.websocket_function,
            "weight": str(dict(self._stage.cell_weights).get(cell_id, 100)),
            "draining": str(cell_id in self._stage.draining_cells).lower(),
        }
        title = f"Cell{cell_id.capitalize()}"
        self._registry.register(self, title, service=GATEWAY, instance_id=cell_id, attributes=attributes)

    def _websocket(self, cell_id: str) -> lambda_.IFunction:
        """Declare the function behind a cell's frames; it may write to any cell, where a session was replaced."""
        stores = self._stores
        # What `deliver` reports and this function fails at must not be lost: somebody would never be told by a push.
        redrive = declare_redrive(self._context, catalogue.GATEWAY_WEBSOCKET, cell_id=cell_id)
        function = self._context.make(
            catalogue.GATEWAY_WEBSOCKET,
            cell_id=cell_id,
            environment={
                "GOCHAT_CELL_ID": cell_id,
                **stores.kafka.environment(),
                **stores.database.environment(),
                **stores.cache.environment(),
            },
            statements=[
                *stores.kafka.may_produce([plan.name for plan in plan_topics(self._stage)]),
                *stores.database.may_connect(),
                *stores.cache.may_connect(),
                *redrive.statements(),
            ],
        )
        redrive.attach(function)
        return function

    def _deliver(
        self,
        spec: catalogue.FunctionSpec,
        mapping: Mapping,
        topic: str,
        cell: Cell,
        cell_id: str,
        websocket: lambda_.IFunction,
    ) -> None:
        """Declare a function that posts one of a cell's topics to its connections; it needs no VPC."""
        group = consumer_group(self._stage, spec.name, cell_id)
        deliver = self._context.make(
            spec,
            cell_id=cell_id,
            environment={
                "GOCHAT_CELL_ID": cell_id,
                "GOCHAT_CONNECTIONS_ENDPOINT": cell.connections_endpoint,
                "GOCHAT_WEBSOCKET_FUNCTION": websocket.function_arn,
                "GOCHAT_PARTIAL_BATCH": honours_partial_batches(mapping),
                "GOCHAT_SERVICE": spec.name,
            },
            statements=[
                self._may_manage_connections(cell),
                allow(["InvokeFunction"], [websocket.function_arn], "lambda"),
                *self._stores.kafka.may_consume(topic, group),
            ],
        )
        declare_mapping(
            self,
            f"{spec.title}{cell_id.capitalize()}Mapping",
            function=deliver,
            mapping=mapping,
            # Sharing pollers with others, a burst would slow what it must not slow.
            poller_group=None if spec is catalogue.GATEWAY_DELIVER_BULK else self._stage.poller_group,
            kafka=self._stores.kafka,
            topic=topic,
            group=group,
        )

    def _sweep(self, cell: Cell, cell_id: str, websocket_arn: str) -> None:
        """Declare the function that asks every minute for connections of the cell that may have ended unheard."""
        sweep = self._context.make(
            catalogue.GATEWAY_SWEEP,
            cell_id=cell_id,
            environment={
                "GOCHAT_CELL_ID": cell_id,
                "GOCHAT_CONNECTIONS_ENDPOINT": cell.connections_endpoint,
                "GOCHAT_REPO_FUNCTION": self._repo_function,
                "GOCHAT_WEBSOCKET_FUNCTION": websocket_arn,
                "GOCHAT_CONNECTION_CHECK_MINUTES": str(self._stage.sweeps.connection_check_minutes),
                **self._registry.environment(),
            },
            statements=[
                *self._registry.may_discover(),
                self._may_manage_connections(cell),
                allow(["InvokeFunction"], [self._repo_function, websocket_arn], "lambda"),
            ],
        )
        declare_schedule(self._context, catalogue.GATEWAY_SWEEP, sweep, on=self._stage.sweeps.on, cell_id=cell_id)

    def _http_api(self, cells: list[Cell], logic_functions: Sequence[str]) -> str:
        """Declare the HTTP API, one function behind every path so that every answer is ours, and return its URL."""
        stage, first = self._stage, cells[0]
        api = apigateway.HttpApi(
            self,
            "HttpApi",
            api_name=f"{stage.prefix}-http",
            create_default_stage=False,
            cors_preflight=cors_of(stage),
        )
        if stage.on_emulator:
            pin_api_id(api, _HTTP_API_ID)
        http_url = self._addresses.http(api.api_id)
        # Whoever ends a session closes its connections wherever they are.
        endpoints = {cell_id: cell.connections_endpoint for cell_id, cell in zip(stage.cells, cells, strict=True)}
        function = self._context.make(
            catalogue.GATEWAY_HTTP,
            environment={
                "GOCHAT_TOKEN_PUBLIC_KEYS": self._public_keys,
                "GOCHAT_LOGIC_FUNCTION": logic_functions[0],
                "GOCHAT_CONNECTIONS_ENDPOINTS": self.to_json_string(endpoints),
                "GOCHAT_WEBSOCKET_URL": first.websocket_url,
                "GOCHAT_HTTP_URL": http_url,
                **self._registry.environment(),
            },
            statements=[
                allow(["InvokeFunction"], logic_functions, "lambda"),
                *self._registry.may_discover(),
                *(self._may_manage_connections(cell) for cell in cells),
            ],
        )
        # Beside the API and not in its constructor, because the function is told the API's address.
        route = apigateway.HttpRoute(
            self,
            "HttpRoute",
            http_api=api,
            route_key=apigateway.HttpRouteKey.DEFAULT,
            integration=integrations.HttpLambdaIntegration("Http", function),
        )
        acknowledge(
            route,
            "AwsSolutions-APIG4",
            "The function behind the one route decides by path, because register, login and health are open.",
        )
        api_stage = add_http_stage(api, stage=stage)
        api_stage.node.add_dependency(self._account)
        if stage.domains:
            map_http(self, stage.domains, api.api_id, api_stage)
        CfnOutput(self, "HttpUrl", value=http_url)
        return http_url

    def _may_manage_connections(self, cell: Cell) -> iam.PolicyStatement:
        """Allow to post to and close the connections of a cell; their ids are unknown beforehand."""
        cfn = cell.api.node.default_child
        assert isinstance(cfn, apigateway.CfnApi)
        acknowledge_connections(self, cfn, self._stage)
        arn = self.format_arn(
            service="execute-api", resource=cell.api.api_id, resource_name=f"{self._stage.name}/*/@connections/*"
        )
        return allow(["ManageConnections"], [arn], "execute-api")
