"""What the docs set as code and looks like a name of ours stands somewhere in the tree.

Names of resources, `gochat-prod-…`, are held to the templates in `tests/infrastructure/test_docs.py`.
"""

import functools
import re

import pytest

from cdk_app.catalogue import FUNCTIONS
from cdk_app.settings import Stage
from tests.unit.docs.pages import ROOT, Page, written_pages

FOLDERS = ("cdk_app", "dev_cli", "functions", "layers", "local_stage", "tests", "docs/api")
KINDS = (".py", ".sql", ".proto", ".yaml", ".toml", ".json")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[-.][A-Za-z0-9_]+)*")

OURS = (
    re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+"),  # settings, columns, tables
    re.compile(r"([A-Z][a-z0-9]+){2,}"),  # metrics, alarms, classes
    re.compile(r"[A-Z]+(_[A-Z]+)+"),  # constants
    re.compile(r"[a-z]+(-[a-z]+)+"),  # functions, topics
    re.compile(r"[a-z]+\.[a-z_.]+"),  # frames, events, modules
)

FOREIGN = {
    "token.actions.githubusercontent.com": "GitHub's issuer of tokens",
    "LastProcessingResult": "a field of Lambda's answer",
    "EndpointDisabled": "an error of SNS",
    "PlatformCredential": "an attribute of an SNS application",
    "PlatformPrincipal": "an attribute of an SNS application",
    "DatabaseResumingException": "an error of the RDS Data API",
    "x-amzn-trace-id": "a header of AWS",
    "APNS_SANDBOX": "a platform of SNS",
    "db.serverless": "an instance class of RDS",
    "grpc.health.v1.Health": "a service of gRPC",
    "ServerInterceptor": "a class of gRPC",
    "context.time_remaining": "a method of gRPC",
}
"""Names of others, which need not stand in our tree."""

COMPOSED = {
    "PushSuppressed": "a metric: the outcome's name behind `Push`",
    "LogicSweepDuties": "an alarm: `title_of` the service before `Duties`",
    "TaskSweepDuties": "the same",
    "GatewaySweepDuties": "the same",
    "CellG1Refuses": "an alarm: `Refuses` behind the cell",
}
"""Names that the code puts together."""


@functools.cache
def names_of_the_tree() -> frozenset[str]:
    """Collect every word of the sources, and the parts of dotted and dashed ones."""
    found: set[str] = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in KINDS and path.parent.name != "docs" and "node_modules" not in path.parts:
                found |= set(NAME.findall(path.read_text()))
    return frozenset(found | {part for name in found for part in re.split(r"[-.]", name)})


def strangers(page: Page) -> list[str]:
    """List the names of a page that stand nowhere."""
    functions = {spec.name for spec in FUNCTIONS}
    known = names_of_the_tree() | FOREIGN.keys() | COMPOSED.keys() | functions
    known |= {name.partition("-")[2] for name in functions}
    spans = [span for span in page.spans() if not span.startswith("gochat-")]
    named = [span for span in spans if any(shape.fullmatch(span) for shape in OURS)]
    files = {path.name for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")} | {
        path.name for path in ROOT.iterdir()
    }
    unknown = {name for name in named if name not in known | files}
    return sorted(name for name in unknown if "." not in name or set(name.split(".")) - known)


@pytest.mark.parametrize("page", written_pages(), ids=lambda page: page.name)
def test_names_of_ours_are_there(page: Page) -> None:
    assert strangers(page) == []


def test_a_name_that_is_nowhere_is_noticed() -> None:
    (readme,) = (page for page in written_pages() if page.name == "README.md")
    mistaken = Page(
        path=readme.path, text="`web_orygins`, `gateway-deliever`, `MessagesStoredLately`, `message.mailed`"
    )
    assert strangers(mistaken) == ["MessagesStoredLately", "gateway-deliever", "message.mailed", "web_orygins"]


@pytest.mark.parametrize("setting", ["alarm_email", "customer_key", "reserved_concurrency", "draining_cells"])
def test_settings_that_the_pages_lean_on_have_a_meaning(setting: str) -> None:
    assert setting in Stage.__dataclass_fields__ or setting in names_of_the_tree()
