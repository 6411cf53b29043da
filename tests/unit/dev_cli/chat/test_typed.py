"""What a typed line asks for."""

import pytest

from dev_cli.chat.typed import Request, UnknownCommandError, read_line


@pytest.mark.parametrize(
    ("line", "action", "data"),
    [
        ("/react 3 👍", "reaction.add", {"seq": 3, "emoji": "👍"}),
        ("/unreact #3  👍 ", "reaction.remove", {"seq": 3, "emoji": "👍"}),
        ("/edit 12 better  words", "message.edit", {"seq": 12, "content": {"text": "better  words"}}),
        ("/recall 1", "message.recall", {"seq": 1}),
    ],
)
def test_a_command_names_an_action_and_a_message(line: str, action: str, data: dict[str, object]) -> None:
    assert read_line(line) == Request(action=action, data=data)


def test_anything_else_is_a_text() -> None:
    assert read_line("hello /react 3") == "hello /react 3"
    assert read_line("//react 3 👍") == "/react 3 👍"


@pytest.mark.parametrize(
    "line", ["/", "/dance", "/react", "/react 3", "/react x 👍", "/edit 3", "/recall", "/recall 3 now"]
)
def test_a_command_that_is_none_is_told_what_there_is(line: str) -> None:
    with pytest.raises(UnknownCommandError, match="/react 3"):
        read_line(line)
