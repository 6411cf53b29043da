"""What is an emoji: a reaction is one, and never a word."""

from unicodedata import category

MAX_CODE_POINTS = 32
MAX_BYTES = 64
"""Twice what the longest family with skin tones takes (35 bytes of UTF-8)."""

_KEYCAP = "\u20e3"
_JOINERS = "\u200d\ufe0e\ufe0f"
"""Zero width joiner, and which of two ways of showing a character is meant."""

_FIRST_UNASSIGNED = 0x1F000
"""From here on an unassigned code point is taken for an emoji of a Unicode version newer than this Python's."""

_SYMBOLS = frozenset("\u2139‼⁉↔◻◼◽◾⤴⤵〰〽")
"""The emoji that Unicode counts among punctuation, letters and mathematics (emoji-data.txt, property Emoji)."""


def is_emoji(text: str) -> bool:
    """Tell whether `text` is made of emoji alone, one or several, with their modifiers; pure.

    It must hold a symbol (Unicode category So, a keycap sequence, or a code point yet to be assigned), and nothing that
    can't be part of an emoji: no letter, whitespace or control character, none that turns the direction of text.
    """
    if not 1 <= len(text) <= MAX_CODE_POINTS or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        return False
    return all(_is_part(one) for one in text) and any(_is_symbol(one) for one in text)


def _is_symbol(one: str) -> bool:
    kind = category(one)
    return kind == "So" or one in _SYMBOLS or one == _KEYCAP or (kind == "Cn" and ord(one) >= _FIRST_UNASSIGNED)


def _is_part(one: str) -> bool:
    return _is_symbol(one) or one in "0123456789#*" or one in _JOINERS or _is_skin_tone(one) or _is_tag(one)


def _is_skin_tone(one: str) -> bool:
    return "\U0001f3fb" <= one <= "\U0001f3ff"


def _is_tag(one: str) -> bool:
    """The invisible letters that spell the flags of England, Scotland and Wales."""
    return "\U000e0020" <= one <= "\U000e007f"
