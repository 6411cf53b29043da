"""Route keys and mapping templates of WebSocket APIs are chosen and filled as API Gateway does."""

from __future__ import annotations

import pytest

from local_stage.aws.mapping_templates import UnsupportedTemplateError, render, select_route_key, select_template

CONTEXT = {"connectionId": "abc=", "authorizer": {"user": "alice"}}


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ('{"action":"message.send"}', "message.send"),
        ('{"action":7}', "7"),
        ('{"action":true}', "true"),
        ('{"action":null}', "$default"),
        ('{"action":["a"]}', "$default"),
        ('{"action":"$disconnect"}', "$default"),
        ('{"other":1}', "$default"),
        ('"action"', "$default"),
        ("", "$default"),
        ("{", "$default"),
    ],
)
def test_the_route_key_is_the_named_value_or_default(body: str, key: str) -> None:
    """API Gateway: "Route selection expressions"."""
    assert select_route_key("$request.body.action", body) == key


def test_a_route_key_may_lie_deeper() -> None:
    assert select_route_key("${request.body.a.b}", '{"a":{"b":"c"}}') == "c"


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [("200", "ok"), (None, "any"), ("\\$default", "any"), ("404", "any"), ("$request.body.kind", "ok"),
     ("${integration.response.statuscode}", "ok")],
)  # fmt: skip
def test_a_template_is_chosen_by_its_expression_or_default(expression: str | None, chosen: str) -> None:
    """API Gateway: "Template selection expressions"."""
    templates = {"200": "ok", "$default": "any"}
    assert select_template(templates, expression, body='{"kind":"200"}', status=200) == chosen


def test_without_a_matching_template_there_is_none() -> None:
    assert select_template({"200": "ok"}, None, body="", status=200) is None


def test_variables_are_filled_in() -> None:
    template = (
        '{"c":"$context.connectionId","u":"$context.authorizer.user",'
        '"p":$input.json(\'$.a\'),"t":"$input.path(\'$.b\')"}'
    )
    filled = render(template, context=CONTEXT, body='{"a":{"x":[1]},"b":"text"}')
    assert filled == '{"c":"abc=","u":"alice","p":{"x": [1]},"t":"text"}'
    assert render("$input.body", context=CONTEXT, body="as it came") == "as it came"


@pytest.mark.parametrize("template", ["#set($a = 1)\n{}", "$util.escapeJavaScript('x')"])
def test_what_is_not_rendered_is_said(template: str) -> None:
    with pytest.raises(UnsupportedTemplateError):
        render(template, context=CONTEXT, body="")
