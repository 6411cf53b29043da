"""Keeps the reference model in step with the stores: finds out how far each invocation came, and holds it to that."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from gochat_core.clock import Clock
from gochat_repo.mysql import Database
from tests.model.reference import Chat, Command, Verdict
from tests.model.truth import State, read_created_at, read_states, state_of


class Broken(AssertionError):
    """A promise does not hold; the message begins with its name."""


def check(condition: object, promise: str, what: str) -> None:
    """Fail with the name of the promise unless the condition holds."""
    if not condition:
        raise Broken(f"{promise}: {what}")


Outcome = tuple[Chat, list[tuple[Command, Verdict]]]


@dataclass
class Ledger:
    """All chats of the model, every command ever sent, and the verdicts that the model gave.

    A function that dies may have done all of its batch or part of it, so the model tries how far it came: a prefix of
    each conversation's commands, at least as far as was reported done. Whatever else the tables hold is a fault.
    """

    database: Database
    clock: Clock
    chats: dict[str, Chat] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    verdicts: dict[str, list[Verdict]] = field(default_factory=lambda: defaultdict(list))
    turn: int = 0
    stored_in: dict[tuple[str, int], int] = field(default_factory=dict)
    """In which turn of the walk each message was stored."""
    codes_beside: set[str | None] = field(default_factory=set)
    """What may have been answered to the last `beside`: nobody can tell when exactly it was its turn."""

    def note(self, command: Command) -> None:
        """Remember what a client sends, before it sends it."""
        self.commands[command.id] = command

    def adopt(self, chat_id: str, commands: Sequence[Command], *, at_least: int, beside: Command | None = None) -> None:
        """Do to the model what was done to the stores; `beside` ran at the same time, if it ran.

        The first `at_least` commands must have been applied, in their order; `beside` anywhere among them, or not.
        """
        truth = read_states(self.database, [chat_id]).get(chat_id)
        before = self.chats[chat_id]
        for count in range(len(commands), at_least - 1, -1):
            fitting = [
                tried for done in _orders(list(commands[:count]), beside) if (tried := self._try(before, done, truth))
            ]
            if fitting:
                self._take(chat_id, *fitting[0])
                if beside is not None:
                    self.codes_beside = {
                        verdict.code for _, tried in fitting for one, verdict in tried if one == beside
                    }
                return
        raise Broken(self._explain(chat_id, commands, at_least, truth))

    def _try(self, before: Chat, done: Sequence[Command], truth: State | None) -> Outcome | None:
        """Return what comes of doing these commands, if that is what the tables hold."""
        candidate = before.fork()
        verdicts = [(one, candidate.apply(one, self.clock.now_ms())) for one in done]
        return (candidate, verdicts) if state_of(candidate) == truth else None

    def _take(self, chat_id: str, candidate: Chat, verdicts: list[tuple[Command, Verdict]]) -> None:
        if candidate.last_seq > self.chats[chat_id].last_seq:
            times = read_created_at(self.database, chat_id)
            candidate.messages = [
                replace(message, created_at_ms=at_ms) for message, at_ms in zip(candidate.messages, times, strict=True)
            ]
        for seq in range(self.chats[chat_id].last_seq + 1, candidate.last_seq + 1):
            self.stored_in[chat_id, seq] = self.turn
        self.chats[chat_id] = candidate
        for one, verdict in verdicts:
            self.verdicts[one.id].append(verdict)

    def _explain(self, chat_id: str, commands: Sequence[Command], at_least: int, truth: State | None) -> str:
        candidate = self.chats[chat_id].fork()
        verdicts = [candidate.apply(one, self.clock.now_ms()) for one in commands]
        expected = state_of(candidate) or {}
        actual = truth or {}
        lines = [f"2 or 3: the tables are no outcome of these commands ({at_least} of {len(commands)} reported done)"]
        lines += [f"  {one} -> {verdict}" for one, verdict in zip(commands, verdicts, strict=True)]
        for key in sorted(expected.keys() | actual.keys()):
            if expected.get(key) != actual.get(key):
                lines.append(f"  {key}: model {_brief(expected.get(key))}")
                lines.append(f"  {key}: MySQL {_brief(actual.get(key))}")
        return "\n".join(lines)


def _orders(commands: list[Command], beside: Command | None) -> Iterable[list[Command]]:
    if beside is not None:
        for at in range(len(commands), -1, -1):
            yield [*commands[:at], beside, *commands[at:]]
    yield commands


def _brief(value: object) -> str:
    return repr(value[-6:] if isinstance(value, list) else value)
