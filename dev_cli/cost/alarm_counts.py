"""Counts the alarms of a stage, as `watched.py` and its neighbours in `cdk_app/parts` declare them.

An alarm over a computed value is billed once for each metric that goes into it (CloudWatch pricing), so it counts so.
"""

from cdk_app.catalogue import FUNCTIONS, TASK_CANARY
from cdk_app.settings import Mapping, Stage
from cdk_app.store_settings import Broker, Managed

CELL_FUNCTIONS = (
    "gateway-authorize",
    "gateway-websocket",
    "gateway-deliver",
    "gateway-deliver-bulk",
    "gateway-sweep",
)
"""The functions that every cell has for itself."""

OF_CONSUMER = 3
OF_FUNCTION = 2
OF_DEAD_LETTERS = 3
OF_USERS = 3
OF_ACCOUNT = 1
OF_SWEEPS = 3
OF_SWEEPS_RUNS = 3
"""That none of three sweeps rests, nor the audit where it is on."""

OF_AUDIT = 2

OF_HTTP_API = 3
OF_CELL = 3
OF_QUEUE = 2
"""That something has failed for long, and that it was given up (`cdk_app/parts/redrive.py`)."""

OF_PUSHES = 4
REDRIVEN = ("gateway-websocket", "task-worker")
"""The functions with a queue of what they were asked for asynchronously and failed at."""

OF_CACHE = 3
OF_CLUSTER = 2
OF_PROXY = 4


def mappings_of(stage: Stage) -> list[Mapping]:
    """List every Kafka mapping: each cell has its own two, of its messages and of what large groups send."""
    once = [value for value in vars(stage.mappings).values() if isinstance(value, Mapping)]
    of_cell = [stage.mappings.deliver, stage.mappings.deliver_bulk]
    return [*once, *of_cell * (len(stage.cells) - 1)]


def count_alarms(stage: Stage) -> int:
    """Count them by the metric; the local stage has none."""
    if stage.on_emulator:
        return 0
    consumers = len(mappings_of(stage))
    count = _of_releases(stage) + OF_CONSUMER * consumers + OF_DEAD_LETTERS + OF_PUSHES
    redriven = sum(_copies(stage, name) for name in REDRIVEN)
    count += OF_QUEUE * redriven + bool(stage.domains)
    if stage.alarms == "consumers":
        return count
    others = sum(_copies(stage, spec.name) for spec in FUNCTIONS if spec is not TASK_CANARY) - consumers
    others += stage.makes_topics_by_function
    if stage.canary:
        count += OF_FUNCTION + stage.canary.on
    count += redriven + OF_FUNCTION * others + OF_USERS + OF_ACCOUNT + OF_HTTP_API + OF_CELL * len(stage.cells)
    count += OF_SWEEPS + OF_AUDIT + (OF_SWEEPS_RUNS + stage.sweeps.audit) * stage.sweeps.on
    return count + (_of_stores(stage.stores) if isinstance(stage.stores, Managed) else 0)


def _of_releases(stage: Stage) -> int:
    """Count those that take a release back: one for each function whose calls are shifted, in each cell."""
    return sum(_copies(stage, name) for name in (stage.release.functions if stage.release else ()))


def _copies(stage: Stage, function: str) -> int:
    return len(stage.cells) if function in CELL_FUNCTIONS else 1


def _of_stores(stores: Managed) -> int:
    database = 2 + bool(stores.database.readers) + OF_PROXY * stores.database.proxy
    if not isinstance(stores.broker, Broker):
        return database + OF_CACHE
    of_broker = 3 if stores.broker.is_express else 4
    return database + OF_CACHE + OF_CLUSTER + of_broker * stores.broker.brokers
