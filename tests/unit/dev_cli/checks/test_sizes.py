"""The check that nothing grows too large."""

from dev_cli.checks.sizes import MAX_FUNCTION_LINES, MAX_MODULE_LINES, oversized


def function(lines: int, *, docstring: str = "") -> str:
    body = "\n".join(["    x = 1"] * (lines - 1))
    return f"def work():\n{docstring}{body}\n"


def test_a_module_at_the_limit_passes_and_a_line_more_fails() -> None:
    assert oversized("m.py", "x = 1\n" * MAX_MODULE_LINES) == {}
    assert list(oversized("m.py", "x = 1\n" * (MAX_MODULE_LINES + 1))) == ["m.py"]


def test_a_function_at_the_limit_passes_and_a_line_more_fails() -> None:
    assert oversized("m.py", function(MAX_FUNCTION_LINES)) == {}
    assert list(oversized("m.py", function(MAX_FUNCTION_LINES + 1))) == ["m.py:work"]


def test_a_docstring_does_not_make_a_function_larger() -> None:
    assert oversized("m.py", function(MAX_FUNCTION_LINES, docstring='    """Say\n\n    much.\n    """\n')) == {}


def test_methods_and_inner_functions_are_named_by_where_they_stand() -> None:
    inner = "\n".join(["            x = 1"] * MAX_FUNCTION_LINES)
    source = f"class A:\n    def run(self):\n        def step():\n{inner}\n"
    assert "m.py:A.run.step" in oversized("m.py", source)
