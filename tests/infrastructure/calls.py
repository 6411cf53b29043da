"""Which AWS actions a function's code calls, read from its sources: what its handler imports, as far as that goes."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

from tests.infrastructure.synthesis import ROOT

IMPORT_ROOTS = (ROOT / "functions", *sorted((ROOT / "layers").glob("*/python")))

PRODUCE = frozenset(
    f"kafka-cluster:{action}"
    for action in ("Connect", "DescribeCluster", "WriteDataIdempotently", "DescribeTopic", "WriteData")
)
READ = frozenset(
    f"kafka-cluster:{action}"
    for action in ("Connect", "DescribeCluster", "DescribeTopic", "ReadData", "AlterGroup", "DescribeGroup")
)
ADMINISTER = frozenset(
    f"kafka-cluster:{action}"
    for action in (
        *("Connect", "DescribeCluster", "DescribeTopic", "CreateTopic", "AlterTopic"),
        *("DescribeTopicDynamicConfiguration", "AlterTopicDynamicConfiguration"),
    )
)
SQL = frozenset({"rds-db:connect"})
CACHE = frozenset({"elasticache:Connect"})

DISCOVER = frozenset({"servicediscovery:DiscoverInstances", "servicediscovery:DiscoverInstancesRevision"})
LEASE = frozenset(
    f"servicediscovery:{action}"
    for action in (
        "ListInstances",
        "GetInstancesHealthStatus",
        "UpdateInstanceCustomHealthStatus",
        "RegisterInstance",
        "DeregisterInstance",
    )
)

SNS = frozenset({"sns:CreatePlatformEndpoint", "sns:Publish", "sns:DeleteEndpoint"})

ADAPTERS = {
    "gochat_aws.kafka_producer.producer_from": PRODUCE,
    "gochat_aws.kafka_topics.topic_maker_from": ADMINISTER,
    "gochat_aws.kafka_reader.reader_from": READ,
    "gochat_aws.connections_api.HttpConnectionsApi": frozenset({"execute-api:ManageConnections"}),
    "gochat_aws.function_invoke.FunctionInvoker": frozenset({"lambda:InvokeFunction"}),
    # Whom it asks: what is built over it tells.
    "gochat_aws.registry.cloud_map.open_cloud_map": frozenset(),
    "gochat_aws.registry.discover.Discovery": DISCOVER,
    "gochat_aws.registry.registration.Registry": LEASE,
    "gochat_aws.registry.watch.open_events": frozenset({"events:PutEvents"}),
    "gochat_aws.secrets.CachedSecret": frozenset({"secretsmanager:GetSecretValue"}),
    # Only where a store is an existing one that takes passwords.
    "gochat_aws.store_secret.store_secret": frozenset(),
    "gochat_aws.s3_urls.S3Urls": frozenset({"s3:GetObject", "s3:PutObject"}),
    "gochat_repo.mysql.database_from": SQL,
    "gochat_repo.migrate.migrate_from": SQL,
    "gochat_repo.cache.cache_from": CACHE,
    # As clients do: with an account of the stage, and no right in AWS.
    "gochat_client.door.Door": frozenset(),
    "gochat_client.wire.Wire": frozenset(),
    "task.push.providers.sns.SnsProvider": SNS,
    # Browsers' push services, which are not AWS's.
    "task.push.providers.webpush.WebPushProvider": frozenset(),
}
"""What builds a client of AWS or of a store, and what that client calls when IAM guards the store."""

WITHOUT_RIGHTS = {"gochat_core.tracing"}
"""Speaks to the X-Ray daemon beside the function, which sends with the rights that tracing brings."""

NETWORK = {"boto3", "botocore", "socket", "http.client", "urllib.request", "kafka", "pymysql", "redis", "websockets"}
"""Whoever imports one of these speaks to somebody."""


def actions_of(handler: str) -> frozenset[str]:
    """Return the actions of the adapters that the module of a handler builds, itself or in what it imports."""
    return frozenset(action for adapter in adapters_of(handler) for action in ADAPTERS[adapter])


def adapters_of(handler: str) -> set[str]:
    """Return the adapters reached from a handler's module; what an adapter itself imports is its own affair."""
    found: set[str] = set()
    seen, pending = set(), [handler.removesuffix(".handle")]
    while pending:
        module = pending.pop()
        if module in seen:
            continue
        seen.add(module)
        imported = _imports(module)
        found |= imported & ADAPTERS.keys()
        pending += [name for name in imported if _path(name) and not _is_adapter(name)]
    return found


def network_modules() -> set[str]:
    """Return every module of ours that opens connections and is neither an adapter nor behind one."""
    adapters = {adapter.rpartition(".")[0] for adapter in ADAPTERS} | WITHOUT_RIGHTS
    behind, pending = set(adapters), list(adapters)
    while pending:
        new = {name for name in _imports(pending.pop()) if _path(name)} - behind
        behind |= new
        pending += new
    return {module for module in _modules() if _connects(module)} - behind


def custom_resource_actions(module: str) -> set[str]:
    """Return what the calls of boto3's clients in a custom resource's module amount to."""
    folder = ROOT / "cdk_app" / "custom_resources"
    tree = ast.parse((folder / f"{module}.py").read_text())
    helpers = {
        node.module.rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("cdk_app.custom_resources.")
    }
    trees = [tree, *(ast.parse((folder / f"{helper}.py").read_text()) for helper in helpers)]
    called = {node.attr for one in trees for node in ast.walk(one) if isinstance(node, ast.Attribute)}
    actions: set[str] = set()
    for service in {service for one in trees for service in _clients(one)}:
        model = botocore.session.get_session().get_service_model(service)
        actions |= {
            f"{service}:{_IAM_NAMES.get(operation, operation)}"
            for operation in model.operation_names
            if xform_name(operation) in called
        }
    return actions.union(*(_IMPLIED.get(action, set()) for action in actions))


_IAM_NAMES = {"Invoke": "InvokeFunction"}
# The Data API reads the secret with its caller's rights (Aurora user guide, "Authorizing access to the Data API").
_IMPLIED = {"rds-data:ExecuteStatement": {"secretsmanager:GetSecretValue"}}


def _clients(tree: ast.AST) -> set[str]:
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client"
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def _is_adapter(module: str) -> bool:
    return any(adapter.rpartition(".")[0] == module for adapter in ADAPTERS)


def _connects(module: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for name in _imports(module) for package in NETWORK)


@cache
def _path(module: str) -> Path | None:
    relative = Path(*module.split("."))
    for root in IMPORT_ROOTS:
        for path in (root / relative.with_suffix(".py"), root / relative / "__init__.py"):
            if path.is_file():
                return path
    return None


def _modules() -> Iterator[str]:
    for root in IMPORT_ROOTS:
        for path in sorted(root.rglob("*.py")):
            if not path.name.endswith(("_pb2.py", "_pb2_grpc.py")):
                yield ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


@cache
def _imports(module: str) -> frozenset[str]:
    """Return what a module imports when it runs, anywhere in it: `package.module` and `package.module.name`."""
    path = _path(module)
    assert path is not None, module
    names: set[str] = set()
    for node in _running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, but for what stands under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for other in node.orelse:
                yield other
                yield from _running(other)
            continue
        yield node
        yield from _running(node)
