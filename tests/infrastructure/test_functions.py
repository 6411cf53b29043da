"""What each function is told, stands on and may keep."""

from typing import Any

import pytest

from tests.infrastructure.synthesis import Resource, Synthesis

ALL = {"GOCHAT_STAGE", "GOCHAT_LOG_LEVEL"}
KAFKA = {"GOCHAT_KAFKA_BOOTSTRAP", "GOCHAT_KAFKA_AUTH"}
MYSQL = {f"GOCHAT_MYSQL_{name}" for name in ("HOST", "READER_HOST", "PORT", "USER", "DATABASE", "AUTH")}
REDIS = {f"GOCHAT_REDIS_{name}" for name in ("HOST", "PORT", "AUTH", "USER", "CACHE_NAME")}
STORES = KAFKA | MYSQL | REDIS
MEDIA = {f"GOCHAT_MEDIA_{name}" for name in ("ENDPOINT", "TYPES", "MAX_BYTES")}
DELIVER = {
    "GOCHAT_CELL_ID",
    "GOCHAT_CONNECTIONS_ENDPOINT",
    "GOCHAT_PARTIAL_BATCH",
    "GOCHAT_SERVICE",
    "GOCHAT_WEBSOCKET_FUNCTION",
}

ENVIRONMENTS = {
    "gateway-authorize": ALL | {"GOCHAT_CELL_ID", "GOCHAT_TOKEN_PUBLIC_KEYS"},
    "gateway-websocket": ALL | STORES | {"GOCHAT_CELL_ID"},
    "gateway-deliver": ALL | DELIVER,
    "gateway-deliver-bulk": ALL | DELIVER,
    "gateway-http": ALL
    | {"GOCHAT_TOKEN_PUBLIC_KEYS", "GOCHAT_LOGIC_FUNCTION"}
    | {"GOCHAT_CONNECTIONS_ENDPOINTS", "GOCHAT_WEBSOCKET_URL", "GOCHAT_HTTP_URL", "GOCHAT_REGISTRY_NAMESPACE"},
    "gateway-sweep": ALL
    | {"GOCHAT_CELL_ID", "GOCHAT_CONNECTIONS_ENDPOINT", "GOCHAT_REPO_FUNCTION", "GOCHAT_WEBSOCKET_FUNCTION"}
    | {"GOCHAT_CONNECTION_CHECK_MINUTES", "GOCHAT_REGISTRY_NAMESPACE"},
    "gateway-prober": ALL
    | {"GOCHAT_REGISTRY_NAMESPACE", "GOCHAT_REGISTRY_SERVICES", "GOCHAT_REGISTRY_BUS", "GOCHAT_REPO_FUNCTION"},
    "logic-sweep": ALL | STORES,
    "logic-upstream": ALL | STORES | {"GOCHAT_PARTIAL_BATCH", "GOCHAT_CONTACTS_ONLY"},
    "logic-rpc": ALL
    | STORES
    | MEDIA
    | {
        "GOCHAT_TOKEN_PUBLIC_KEYS",
        "GOCHAT_TOKEN_SECRET_ARN",
        "GOCHAT_CONTACTS_ONLY",
        "GOCHAT_MAX_GROUP_MEMBERS",
        "GOCHAT_LARGE_GROUP_MEMBERS",
    }
    | {"GOCHAT_VAPID_PUBLIC_KEY"},
    "task-sweep": ALL | STORES | {"GOCHAT_OFFLINE_AFTER_S", "GOCHAT_MESSAGE_RETENTION_DAYS"},
    "task-push": ALL
    | {"GOCHAT_PARTIAL_BATCH", "GOCHAT_REPO_FUNCTION", "GOCHAT_WORKER_FUNCTION", "GOCHAT_PUSH_LOG_TEXT"},
    "task-worker": ALL | STORES | {"GOCHAT_PARTIAL_BATCH"},
    "repo-rpc": ALL | MYSQL | REDIS,
    "repo-migrate": ALL | MYSQL,
    "repo-audit": ALL | MYSQL,
    "task-redrive": ALL | KAFKA | {"GOCHAT_TOPIC_RETENTION_HOURS"},
}
IN_VPC = {"gateway-websocket", "logic-upstream", "logic-rpc", "task-worker", "repo-rpc", "repo-migrate"}
IN_VPC |= {"logic-sweep", "task-sweep", "repo-audit", "task-redrive"}
FUNCTIONS = sorted(ENVIRONMENTS)
CODE = {"gateway-deliver-bulk": "gateway-deliver"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_is_told_what_it_reads_and_nothing_else(stage: Synthesis, function: str) -> None:
    told = set(stage.environment(function))
    secrets = {f"GOCHAT_{name}_SECRET_ARN" for name in ("KAFKA", "MYSQL", "REDIS")}
    assert told - secrets == ENVIRONMENTS[function]
    # Stores that exist already are logged in to with what their secrets hold.
    speaks = {name for name in secrets if f"{name.removesuffix('_SECRET_ARN')}_AUTH" in ENVIRONMENTS[function]}
    assert told & secrets == (speaks if stage.stage == "external" else set())


def test_anyone_may_write_to_anyone_unless_a_stage_says_otherwise(stage: Synthesis) -> None:
    for function in ("logic-upstream", "logic-rpc"):
        assert stage.environment(function)["GOCHAT_CONTACTS_ONLY"] == "false"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_handler_lies_in_the_function_s_asset(stage: Synthesis, function: str) -> None:
    resource = stage.functions()[function]
    module = resource.properties["Handler"].removesuffix(".handle")
    assert module == f"{CODE.get(function, function).replace('-', '.', 1)}.handler"
    asset = stage.asset_of(resource)
    assert (asset / f"{module.replace('.', '/')}.py").is_file()
    assert {path.name for path in asset.iterdir()} == {function.split("-", maxsplit=1)[0]}, (
        "each service is bundled alone"
    )


def test_custom_resources_lie_in_their_asset(stage: Synthesis) -> None:
    handlers = {
        name: resource
        for name, resource in stage.functions().items()
        if resource.properties["Handler"].startswith("cdk_app.")
    }
    assert handlers
    for resource in handlers.values():
        module = resource.properties["Handler"].removesuffix(".handle")
        assert (stage.asset_of(resource) / f"{module.replace('.', '/')}.py").is_file()


def test_functions_run_on_python_3_13_and_arm64(stage: Synthesis) -> None:
    for function in stage.functions().values():
        assert (function.properties["Runtime"], function.properties["Architectures"]) == ("python3.13", ["arm64"])


def test_functions_are_traced(stage: Synthesis) -> None:
    for name in FUNCTIONS:
        assert stage.functions()[name].properties["TracingConfig"] == {"Mode": "Active"}


def test_functions_have_at_most_five_layers(stage: Synthesis) -> None:
    for function in stage.functions().values():
        assert len(function.properties.get("Layers", [])) <= 5


def test_layers_are_declared_by_the_stack_that_uses_them(stage: Synthesis) -> None:
    for function in stage.functions().values():
        own = {layer.logical_id for layer in stage.resources("AWS::Lambda::LayerVersion", stack=function.stack)}
        assert {layer["Ref"] for layer in function.properties.get("Layers", [])} <= own


def test_logs_are_forgotten_after_a_while(stage: Synthesis) -> None:
    for function in stage.functions().values():
        assert function.properties["LoggingConfig"]["LogGroup"]
    for group in stage.resources("AWS::Logs::LogGroup"):
        assert group.properties["RetentionInDays"] > 0


def test_only_functions_that_reach_a_store_stand_in_the_vpc(managed_stage: Synthesis) -> None:
    in_vpc = {name for name, function in managed_stage.functions().items() if "VpcConfig" in function.properties}
    assert in_vpc == IN_VPC


def test_no_function_of_the_local_stage_stands_in_a_vpc(local: Synthesis) -> None:
    assert not [name for name, function in local.functions().items() if "VpcConfig" in function.properties]


def test_a_call_ends_before_its_caller_gives_up(stage: Synthesis) -> None:
    def timeout(name: str) -> int:
        seconds: int = stage.functions()[name].properties["Timeout"]
        return seconds

    assert timeout("logic-rpc") < timeout("gateway-http") < 30
    assert timeout("gateway-websocket") < 29
    assert timeout("repo-migrate") == 900


def test_a_failed_report_is_tried_twice_more_and_a_failed_sweep_waits_for_the_next_one(stage: Synthesis) -> None:
    runs_again_by_the_clock = {"task-canary": 0} if "task-canary" in stage.functions() else {}
    assert _retries(stage) == runs_again_by_the_clock | {
        "gateway-websocket": 2,
        "task-worker": 2,
        "gateway-sweep": 0,
        "gateway-prober": 0,
        "logic-sweep": 0,
        "task-sweep": 0,
        "repo-audit": 0,
    }


def _retries(stage: Synthesis) -> dict[str, int]:
    names = {function.logical_id: name for name, function in stage.functions().items()}
    return {
        names[_function(stage, config)]: config.properties["MaximumRetryAttempts"]
        for config in stage.resources("AWS::Lambda::EventInvokeConfig")
    }


def _function(stage: Synthesis, config: Resource) -> str:
    """The function of an event configuration, which an alias has for itself."""
    named: dict[str, Any] = config.properties["FunctionName"]
    return str(named["Ref"])


def test_rest_calls_reach_logic_through_its_alias(stage: Synthesis) -> None:
    assert "-logic-rpc:live" in str(stage.environment("gateway-http")["GOCHAT_LOGIC_FUNCTION"])
    assert stage.called("logic-rpc").startswith("LogicRpcLive")


def test_without_releases_the_alias_leads_to_the_latest_code(local: Synthesis, dev: Synthesis) -> None:
    for stage in (local, dev):
        alias = stage.one("AWS::Lambda::Alias")
        assert (alias.properties["Name"], alias.properties["FunctionVersion"]) == ("live", "$LATEST")
        assert not stage.resources("AWS::Lambda::Version")


def test_functions_over_the_stores_wait_for_schema_and_topics(stage: Synthesis) -> None:
    ready = {"Migration"} | ({"KafkaTopics"} if stage.stage == "local" else set())
    for name in ("logic-upstream", "logic-rpc", "logic-sweep", "task-worker", "task-sweep"):
        assert ready <= set(stage.functions()[name].body["DependsOn"])


def test_no_secret_value_stands_in_a_template(stage: Synthesis) -> None:
    text = str(stage.templates)
    assert "PRIVATE KEY" not in text
    assert "private_pem" not in text


def test_the_secrets_of_keys_are_declared_without_a_value(stage: Synthesis) -> None:
    secrets = stage.resources("AWS::SecretsManager::Secret", stack="Services")
    assert {secret.properties["Name"].rpartition("/")[2] for secret in secrets} == {"token-signing", "web-push"}
    for secret in secrets:
        assert not {"SecretString", "GenerateSecretString"} & set(secret.properties)


def test_addresses_of_the_local_stage_are_parameters(local: Synthesis) -> None:
    expected: dict[str, set[str]] = {
        "Services": {"KafkaBootstrap", "MysqlHost", "MysqlPort", "RedisHost", "RedisPort", "LocalAddress"},
        "Edge": {"KafkaBootstrap", "MysqlHost", "MysqlPort", "RedisHost", "RedisPort", "LocalAddress"},
    }
    for stack, names in expected.items():
        found = set(local.templates[stack]["Parameters"])
        assert {name for name in found if not name.endswith(("Revision", "BootstrapVersion"))} == names


def test_each_stack_tells_names_and_urls(stage: Synthesis) -> None:
    outputs: dict[str, Any] = stage.templates["Edge"]["Outputs"] | stage.templates["Services"]["Outputs"]
    expected = {"HttpUrl", "WebSocketUrl", "ConnectionsEndpoint"}
    expected |= {"GatewayAuthorizeG1Function", "GatewayWebsocketG1Function", "GatewayDeliverG1Function"}
    expected |= {"GatewayHttpFunction", "LogicUpstreamFunction", "LogicRpcFunction"}
    expected |= {"TaskWorkerFunction", "RepoMigrateFunction"}
    assert expected <= set(outputs)


@pytest.mark.parametrize(("function", "user"), [("logic-rpc", "gochat_app"), ("repo-migrate", "gochat_migration")])
def test_functions_log_in_with_iam_as_their_own_user(managed_stage: Synthesis, function: str, user: str) -> None:
    environment = managed_stage.environment(function)
    assert (environment["GOCHAT_MYSQL_AUTH"], environment["GOCHAT_MYSQL_USER"]) == ("iam", user)
    (rights,) = [s for s in managed_stage.statements(function) if s["Action"] == ["rds-db:connect"]]
    assert str(rights["Resource"]).endswith(f"/{user}']]}}]")


def test_prod_reserves_concurrency_from_the_quota(prod: Synthesis, dev: Synthesis) -> None:
    reserved = {
        name: function.properties["ReservedConcurrentExecutions"]
        for name, function in prod.functions().items()
        if "ReservedConcurrentExecutions" in function.properties
    }
    assert set(reserved) == {
        "gateway-websocket",
        "gateway-deliver",
        "gateway-deliver-bulk",
        "logic-upstream",
        "task-worker",
    }
    assert sum(reserved.values()) <= 900, "Lambda keeps 100 of the default quota of 1,000 unreserved"
    assert not [f for f in dev.functions().values() if "ReservedConcurrentExecutions" in f.properties], (
        "a new account's quota may be 10"
    )
