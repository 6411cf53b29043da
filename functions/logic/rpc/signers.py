"""Keeps the signer of the current token secret: parsed when the secret changes, not for each call."""

from collections.abc import Callable

from gochat_core.token_signing import TokenSigner, parse_token_secret


class SignerSource:
    """Call it for the signer; `read_secret` returns the secret's text, and keeps it itself."""

    def __init__(self, read_secret: Callable[[], str]) -> None:
        self._read_secret = read_secret
        self._text: str | None = None
        self._signer: TokenSigner | None = None

    def __call__(self) -> TokenSigner:
        """Return the signer; raises what reading the secret raises."""
        text = self._read_secret()
        if self._signer is None or text != self._text:
            self._signer, self._text = TokenSigner(parse_token_secret(text)), text
        return self._signer
