"""The functions: where the code of each lies, what it stands on and which stores it may reach."""

from dataclasses import dataclass

UPSTREAM_TOPIC = "im-upstream-topic"
TASK_TOPIC = "im-task-topic"
PUSH_TOPIC = "im-push-topic"
DEAD_LETTER_TOPIC = "im-dead-letter-topic"

REDRIVABLE_TOPICS = (UPSTREAM_TOPIC, TASK_TOPIC, PUSH_TOPIC)
"""Where dead letters may be brought back to; what a downstream topic held is found by its client's next sync."""


def downstream_topic(cell_id: str) -> str:
    """Name the topic that carries what the clients of one cell receive."""
    return f"im-downstream-topic-{cell_id}"


def bulk_downstream_topic(cell_id: str) -> str:
    """Name the topic that carries what large groups send through one cell."""
    return f"im-downstream-bulk-topic-{cell_id}"


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """One Lambda function; a handler is named by its path, so that this app imports none of the code it deploys."""

    name: str
    layers: tuple[str, ...]
    timeout_s: int
    database: bool = False
    """Whether it speaks SQL (through the repo layer), which also means that it stands in the VPC."""
    cache: bool = False
    produces: bool = False
    """Whether it writes to Kafka, which means the VPC too: MSK can't be reached from outside."""
    code: str | None = None
    """The function whose code it runs, if not its own."""

    @property
    def package(self) -> str:
        """The top-level package under functions/ that is bundled for it."""
        return self.name.split("-", 1)[0]

    @property
    def handler(self) -> str:
        """The handler string: `gateway-http` is `gateway.http.handler.handle`."""
        return f"{(self.code or self.name).replace('-', '.', 1)}.handler.handle"

    @property
    def in_vpc(self) -> bool:
        """Whether it stands in the VPC; the others talk to services that have no endpoint in it."""
        return self.database or self.cache or self.produces

    @property
    def title(self) -> str:
        """The name as CloudFormation's logical ids are written: `GatewayHttp`."""
        return "".join(part.capitalize() for part in self.name.split("-"))


_EDGE_LAYERS = ("core", "contracts", "aws", "wheels")
_STORE_LAYERS = ("core", "contracts", "aws", "repo", "wheels")

# A connection's handshake and a frame are answered within API Gateway's 29 s; a client waits for neither that long.
GATEWAY_AUTHORIZE = FunctionSpec(name="gateway-authorize", layers=_EDGE_LAYERS, timeout_s=10)
GATEWAY_WEBSOCKET = FunctionSpec(
    name="gateway-websocket", layers=_STORE_LAYERS, timeout_s=25, database=True, cache=True, produces=True
)
GATEWAY_DELIVER = FunctionSpec(name="gateway-deliver", layers=_EDGE_LAYERS, timeout_s=60)
# The same code with a topic, a consumer group and a concurrency of its own: what a large group sends never stands in
# front of other chats.
GATEWAY_DELIVER_BULK = FunctionSpec(
    name="gateway-deliver-bulk", code="gateway-deliver", layers=_EDGE_LAYERS, timeout_s=60
)
GATEWAY_HTTP = FunctionSpec(name="gateway-http", layers=_EDGE_LAYERS, timeout_s=29)
GATEWAY_SWEEP = FunctionSpec(name="gateway-sweep", layers=_EDGE_LAYERS, timeout_s=60)
# Three rounds of health calls fill most of the minute until the next run.
GATEWAY_PROBER = FunctionSpec(name="gateway-prober", layers=_EDGE_LAYERS, timeout_s=60)
LOGIC_UPSTREAM = FunctionSpec(
    name="logic-upstream", layers=_STORE_LAYERS, timeout_s=60, database=True, cache=True, produces=True
)
# Shorter than its caller gateway-http, which must still have time to answer.
LOGIC_RPC = FunctionSpec(name="logic-rpc", layers=_STORE_LAYERS, timeout_s=28, database=True, cache=True, produces=True)
# Sweeps run every minute; each bounds its duties well below that.
LOGIC_SWEEP = FunctionSpec(
    name="logic-sweep", layers=_STORE_LAYERS, timeout_s=60, database=True, cache=True, produces=True
)
TASK_SWEEP = FunctionSpec(
    name="task-sweep", layers=_STORE_LAYERS, timeout_s=60, database=True, cache=True, produces=True
)
TASK_WORKER = FunctionSpec(
    name="task-worker", layers=_STORE_LAYERS, timeout_s=120, database=True, cache=True, produces=True
)
# Outside: push services are reached over the internet, the stores through repo-rpc.
TASK_PUSH = FunctionSpec(name="task-push", layers=_EDGE_LAYERS, timeout_s=60)
# Two users of the stage, who know of it what clients know.
TASK_CANARY = FunctionSpec(name="task-canary", layers=("core", "aws", "client", "wheels"), timeout_s=60)
# For operators, who reach the broker through it alone: shows dead letters and brings them back.
TASK_REDRIVE = FunctionSpec(name="task-redrive", layers=_EDGE_LAYERS, timeout_s=60, produces=True)
# For callers outside the VPC, which reach the stores through it.
REPO_RPC = FunctionSpec(name="repo-rpc", layers=_STORE_LAYERS, timeout_s=28, database=True, cache=True)
# Runs every minute where it is on; sees the database alone.
REPO_AUDIT = FunctionSpec(name="repo-audit", layers=_STORE_LAYERS, timeout_s=60, database=True)
# Lambda's limit: a migration may rewrite a large table.
REPO_MIGRATE = FunctionSpec(name="repo-migrate", layers=_STORE_LAYERS, timeout_s=900, database=True)
# In the VPC where the stage has one, beside the producers, whose login it uses. A run waits 30 s for leaders at most.
REPO_TOPICS = FunctionSpec(name="repo-topics", layers=_EDGE_LAYERS, timeout_s=120, produces=True)

FUNCTIONS = (
    GATEWAY_AUTHORIZE,
    GATEWAY_WEBSOCKET,
    GATEWAY_DELIVER,
    GATEWAY_DELIVER_BULK,
    GATEWAY_HTTP,
    GATEWAY_SWEEP,
    GATEWAY_PROBER,
    LOGIC_UPSTREAM,
    LOGIC_RPC,
    LOGIC_SWEEP,
    TASK_WORKER,
    TASK_SWEEP,
    TASK_PUSH,
    TASK_CANARY,
    TASK_REDRIVE,
    REPO_RPC,
    REPO_AUDIT,
    REPO_MIGRATE,
)
"""Those of every stage; repo-topics stands where CloudFormation can't make the topics."""
