"""What the local stage serves as its web page."""

import json

import pytest

from dev_cli.paths import ROOT
from local_stage.web.files import WebFiles

API_URL = "http://127.0.0.1:4566/_aws/execute-api/0c4a7000"
FILES = WebFiles(
    root=ROOT / "web", api_url=API_URL, websocket_urls=("ws://127.0.0.1:4566/a/local", "ws://127.0.0.1:4566/b/local")
)


def test_the_root_is_the_page() -> None:
    page = FILES.find("/?from=somewhere")
    assert page is not None
    assert page.content_type.startswith("text/html")
    assert b"GoChat" in page.content


def test_the_configuration_names_the_api() -> None:
    config = FILES.find("/config.json")
    assert config is not None
    assert json.loads(config.content) == {"api_url": API_URL}


@pytest.mark.parametrize(
    "target", ["/../pyproject.toml", "/%2e%2e/uv.lock", "/headers.json", "/page", "/nothing.js", "//etc/hosts"]
)
def test_nothing_but_the_page_is_served(target: str) -> None:
    assert FILES.find(target) is None


def test_script_and_requests_are_kept_to_the_page_and_its_service() -> None:
    policy = dict(rule.split(" ", 1) for rule in FILES.headers()["content-security-policy"].split("; ") if " " in rule)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"].split() == [
        "'self'",
        "http://127.0.0.1:4566",
        "ws://127.0.0.1:4566",
        "http://127.0.0.1:4566",
    ]
    assert policy["frame-ancestors"] == "'none'"


def test_the_page_itself_has_nothing_inline() -> None:
    page = (ROOT / "web" / "index.html").read_text()
    assert "<style" not in page
    assert "style=" not in page
    assert " on" not in page.split("<body>")[1]
    assert page.count("<script") == page.count('<script type="module" src=')
