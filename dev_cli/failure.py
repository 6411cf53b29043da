"""The one error that a command shows to its user: what failed, the end of its log, what to do next."""

from pathlib import Path

TAIL_LINES = 25


class Failure(Exception):
    """A failure told in the user's words; anything else that escapes a command is a bug and shows its traceback."""

    def __init__(self, message: str, *, advice: str = "", log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.log = log

    def render(self) -> str:
        """Give the lines to print: the log's end first, because a terminal's last lines are the ones that are read."""
        lines: list[str] = []
        if self.log is not None and self.log.is_file():
            lines += [f"--- the end of {self.log}"]
            lines += self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
            lines += ["---"]
        lines.append(f"./dev: {self.message}")
        if self.advice:
            lines.append(f"       {self.advice}")
        return "\n".join(lines)
