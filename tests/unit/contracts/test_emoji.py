"""What may stand below a message as a reaction, and what may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_contracts.emoji import MAX_BYTES, MAX_CODE_POINTS, is_emoji

SINGLE = "👍❤😂🎉😮😢🙏🔥©®™‼⁉↔◻◼◽◾⤴⤵〰〽㊗㊙🅰🈁⌚▶☎♾⚕✔➕⬛⭐🀄🃏"  # noqa: RUF001  # every one is meant


@pytest.mark.parametrize("text", [*SINGLE, "\u2139"])
def test_every_kind_of_single_emoji_is_one(text: str) -> None:
    assert is_emoji(text)
    assert is_emoji(f"{text}\ufe0f")


@pytest.mark.parametrize(
    "text",
    [
        "👍🏽",
        "1\ufe0f\u20e3",
        "#\u20e3",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "👩🏽‍❤️‍💋‍👨🏻",
        "👨‍👩‍👧‍👦",
        "🏳️‍🌈",
        "👍👎",
        "\U0001faea",
        "👍" * (MAX_BYTES // 4),
    ],
    ids=ascii,
)
def test_an_emoji_may_be_a_sequence_of_code_points(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a",
        "👍a",
        "👍 ",
        "👍\n",
        "👍\u0000",
        "👍\u202e",
        "👍\u0301",
        "👍é",
        "漢",
        "1",
        "12",
        "+1",
        ":+1:",
        "<b>👍</b>",
        "\ufe0f",
        "\u200d",
        "🏽",
        "\ue000",
        "\u0378",
        "\ud83d",
        "👍\ud83d",
        "👍" * (MAX_BYTES // 4 + 1),
        "©" * (MAX_CODE_POINTS + 1),
    ],
    ids=ascii,
)
def test_words_and_what_hides_among_emoji_are_none(text: str) -> None:
    assert not is_emoji(text)


@given(st.text(alphabet=st.characters(categories=["L", "Z", "Cc"]), min_size=1, max_size=3).filter("\u2139".__ne__))
def test_no_letter_space_or_control_character_passes_beside_one(text: str) -> None:
    assert not is_emoji(f"👍{text}".replace("\u2139", ""))


@given(st.text(max_size=40))
def test_no_text_makes_it_fail(text: str) -> None:
    if is_emoji(text):
        assert len(text) <= MAX_CODE_POINTS
        assert len(text.encode()) <= MAX_BYTES
