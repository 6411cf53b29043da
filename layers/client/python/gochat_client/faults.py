"""The one error of a client: what did not go well, in words for whoever looks after the stage."""


class StepFailedError(Exception):
    """A step failed; `code` is the stage's own word for it where it answered, `advice` says where to look."""

    def __init__(self, message: str, *, advice: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.code = code
