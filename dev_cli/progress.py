"""Shows how the steps of a long command go: live on a terminal, a line a step elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local_stage.supervisor.state import StageState
from local_stage.supervisor.steps import Cancelled, Step


class StepProgress:
    """Print what the steps do to standard error, so that a command's own output stays clean."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def began(self, step: Step) -> None:
        """Show a step as running."""
        self.show_running(step.name, step.title)

    def ended(self, step: Step, seconds: float) -> None:
        """Show a step as done."""
        self.show_done(step.name, step.title, seconds)

    def failed(self, step: Step, seconds: float, cause: BaseException) -> None:
        """Show a step as failed, unless it was only given up because of another one."""
        self.show_failed(step.name, step.title, seconds, cancelled=isinstance(cause, Cancelled))

    def show_running(self, name: str, title: str) -> None:
        """Add a running row."""
        self._rows[name] = self._live.add_task(title)

    def show_done(self, name: str, title: str, seconds: float) -> None:
        """Turn a running row into a line that stays."""
        self._remove(name)
        self._console.print(f"[green]✓[/green] {title} [dim]({seconds:.1f} s)[/dim]")

    def show_failed(self, name: str, title: str, seconds: float, *, cancelled: bool) -> None:
        """Turn a running row into a line that tells of the failure."""
        self._remove(name)
        if not cancelled:
            self._console.print(f"[red]✗[/red] {title} [dim]({seconds:.1f} s)[/dim]")

    def _remove(self, name: str) -> None:
        row = self._rows.pop(name, None)
        if row is not None:
            self._live.remove_task(row)  # type: ignore[arg-type]  # rich's TaskID is an int


class StateProgress(StepProgress):
    """Show the steps that a supervisor tells of in its state file."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[str, str] = {}

    def show(self, state: StageState) -> None:
        """Show what has changed since the last call."""
        for step in state.steps:
            if self._shown.get(step.name) == step.outcome:
                continue
            if step.name not in self._shown:
                self.show_running(step.name, step.title)
            self._shown[step.name] = step.outcome
            if step.outcome == "done":
                self.show_done(step.name, step.title, step.seconds)
            elif step.outcome != "running":
                self.show_failed(step.name, step.title, step.seconds, cancelled=step.outcome == "cancelled")
