"""Trace headers, metric lines, request heads and search paths are read as their specifications say."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from local_stage.aws.embedded_metrics import measurements
from local_stage.aws.function_code import search_path
from local_stage.aws.http_wire import parse_head
from local_stage.aws.pinned import MINISTACK_VERSION
from local_stage.aws.tracing import parse_header


def test_the_pinned_ministack_is_the_locked_one() -> None:
    groups = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["dependency-groups"]
    assert f"ministack=={MINISTACK_VERSION}" in groups["stage"]


def test_a_trace_header_is_split() -> None:
    """X-Ray: "Tracing header"."""
    assert parse_header("Root=1-a-b;Parent=c;Sampled=1;Lineage=x:0") == {
        "Root": "1-a-b", "Parent": "c", "Sampled": "1", "Lineage": "x:0",
    }  # fmt: skip
    assert parse_header("") == {}


def test_each_dimension_set_of_a_metric_line_counts() -> None:
    """CloudWatch: "Specification: Embedded metric format"."""
    directive = {"Namespace": "N", "Dimensions": [["a"], ["a", "b"]], "Metrics": [{"Name": "M", "Unit": "Count"}]}
    line = json.dumps({"_aws": {"CloudWatchMetrics": [directive]}, "a": "x", "b": 2, "M": [1, 2.5]})
    found = [(each.value, each.dimensions) for each in measurements(f"text\n{line}\n" + '{"CloudWatchMetrics" broken')]
    assert found == [(1.0, {"a": "x"}), (2.5, {"a": "x"}), (1.0, {"a": "x", "b": "2"}), (2.5, {"a": "x", "b": "2"})]


def test_a_request_head_keeps_the_case_of_names() -> None:
    head = parse_head(b"GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nX-MiXed:  v \r\nUpgrade: WebSocket\r\n\r\n")
    assert head is not None
    assert (head.method, head.path, head.query_string) == ("GET", "/a/b", "c=d")
    assert ("X-MiXed", "v") in head.headers
    assert head.upgrades
    assert head.body_bytes == 0
    assert parse_head(b"rubbish\r\n\r\n") is None


def test_code_comes_before_layers_and_a_later_layer_before_an_earlier(tmp_path: Path) -> None:
    """awslambdaric bootstrap: LAMBDA_TASK_ROOT -> /opt/python/lib/pythonN.N/site-packages -> /opt/python."""
    layers = [tmp_path / "one", tmp_path / "two"]
    for layer in layers:
        (layer / "python").mkdir(parents=True)
    code = tmp_path / "code"
    assert search_path(code, layers) == [str(code), str(layers[1] / "python"), str(layers[0] / "python")]
