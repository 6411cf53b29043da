"""Every command and snippet of the docs is one that its program takes."""

import json
import shlex
import subprocess
import textwrap
from pathlib import Path

import jsonschema
import pytest
import yaml

from dev_cli.checks.docs import fault_of_command
from dev_cli.deployment.standing import _STUCK as ADVICE
from tests.unit.docs.aws_commands import fault_of
from tests.unit.docs.pages import ROOT, Block, Page, written_pages

PAGES = written_pages()
BLOCKS = [block for page in PAGES for block in page.blocks()]
SHELL = ("sh", "console")

LANGUAGES = {*SHELL, "text", "sql", "json", "python", "js", "mermaid", "yaml"}
"""What a block may be written in. Output is `text`, and `tests/integration/deployment/test_documented_output.py` holds
it to what is printed; SQL runs in `tests/integration/repo/test_documented_sql.py`."""

PROGRAMS = {"./dev", "aws", "curl", "git", "for", "do", "done", "URL", "cd", "grpcurl", "uv", "brew", "sudo"}
"""What a shell line may begin with; the first three are looked into."""


def named(command: str) -> str:
    return command[:60]


def commands(program: str) -> list[str]:
    """List the commands of one program in the shell blocks of all pages."""
    shell = [block for block in BLOCKS if block.language in SHELL]
    return [line for block in shell for line in block.commands() if line.split()[0] == program]


def inline(program: str) -> list[str]:
    """List those in running text."""
    return [span for page in PAGES for span in page.spans() if span.startswith(f"{program} ")]


def test_blocks_say_what_they_are_written_in() -> None:
    unknown = [f"{block.page}: ```{block.language}" for block in BLOCKS if block.language not in LANGUAGES]
    assert unknown == []


def test_shell_blocks_run_programs_that_are_known() -> None:
    shell = [block for block in BLOCKS if block.language in SHELL]
    first = {line.split("=")[0].split()[0] for block in shell for line in block.commands()}
    assert first <= PROGRAMS


@pytest.mark.parametrize("command", sorted({*commands("./dev"), *inline("./dev")}), ids=named)
def test_dev_takes_the_command(command: str) -> None:
    assert fault_of_command(command) == ""


@pytest.mark.parametrize("command", sorted(set(commands("aws"))), ids=named)
def test_aws_takes_the_command_as_it_stands(command: str) -> None:
    assert fault_of(command) == ""


@pytest.mark.parametrize("command", sorted(set(inline("aws"))), ids=named)
def test_aws_knows_what_the_text_names(command: str) -> None:
    assert fault_of(command, complete=False) == ""


@pytest.mark.parametrize("status", ADVICE)
def test_aws_takes_what_the_preflight_advises(status: str) -> None:
    advised = ADVICE[status].format(
        name="GoChat-dev-Data",
        region="us-east-1",
        delete="aws cloudformation delete-stack --stack-name GoChat-dev-Data --region us-east-1",
    )
    assert fault_of(advised[advised.index("aws ") :]) == ""


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("aws moon land", "no service"),
        ("aws rds restore-everything", "no operation"),
        ("aws rds delete-db-cluster --cluster gochat-prod", "no option --cluster"),
        ("aws rds delete-db-cluster --skip-final-snapshot", "needs --db-cluster-identifier"),
        ("aws rds delete-db-cluster --db-cluster-identifier a --skip-final-snapshot yes", "takes no value"),
        ("aws rds wait db-cluster-gone --db-cluster-identifier a", "can't wait"),
        (
            "aws rds modify-db-cluster --db-cluster-identifier a --serverless-v2-scaling-configuration Min=1",
            "has no Min",
        ),
        ("aws sqs set-queue-attributes --queue-url URL --attributes", "lacks its value"),
        ("aws lambda invoke --function-name a --log-type Head out.json", "can't be Head"),
    ],
)
def test_what_aws_would_refuse_is_noticed(command: str, fault: str) -> None:
    assert fault in fault_of(command)


def curls() -> list[str]:
    return commands("curl")


@pytest.mark.parametrize("command", curls(), ids=named)
def test_the_api_has_what_curl_asks_for(command: str) -> None:
    api = yaml.safe_load((ROOT / "docs/api/openapi.yaml").read_text())
    words = shlex.split(command.replace("$NAME", "alice"))
    (url,) = (word for word in words if word.startswith("$URL"))
    method = words[words.index("-X") + 1].lower() if "-X" in words else "post" if "--json" in words else "get"
    (base,) = {server["url"].rsplit("/api", 1)[-1] for server in api["servers"]}
    operation = api["paths"][url.removeprefix("$URL").removeprefix(f"/api{base}")][method]
    if "--json" in words:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = json.loads(words[words.index("--json") + 1])
        jsonschema.Draft202012Validator({**schema, "components": api["components"]}).validate(body)


def snippets(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@pytest.mark.parametrize("block", snippets("json"), ids=lambda block: block.page)
def test_json_is_json(block: Block) -> None:
    for line in block.body.strip().split("\n\n"):
        assert json.loads(line)


@pytest.mark.parametrize("block", snippets("yaml"), ids=lambda block: block.page)
def test_yaml_is_yaml(block: Block) -> None:
    assert yaml.safe_load(block.body)


@pytest.mark.parametrize("block", snippets("python"), ids=lambda block: block.page)
def test_python_compiles(block: Block) -> None:
    compile(textwrap.dedent(block.body), block.page, "exec")


@pytest.mark.parametrize("block", snippets("js"), ids=lambda block: block.page)
def test_javascript_parses(block: Block, tmp_path: Path) -> None:
    module = tmp_path / "snippet.mjs"
    module.write_text(block.body)
    checked = subprocess.run(["node", "--check", str(module)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_headings_that_are_there(page: Page) -> None:
    for link in page.links():
        if link.startswith(("https:", "http:")):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        assert path.exists(), f"{page.name}: there is no {target}"
        if anchor:
            there = Page(path=path, text=path.read_text()).anchors()
            assert anchor in there, f"{page.name}: {target} has no heading #{anchor}"
