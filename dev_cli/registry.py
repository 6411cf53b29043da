"""Knows the commands of ./dev: one module each, found by name."""

import argparse
import importlib
from types import ModuleType

# In the order in which a newcomer meets them.
COMMANDS = (
    "help",
    "up",
    "down",
    "status",
    "logs",
    "chat",
    "grpc",
    "test",
    "check",
    "bench",
    "soak",
    "generate",
    "synth",
    "deploy",
    "smoke",
    "cost",
    "dead-letters",
    "rotate-keys",
    "destroy",
    "reset",
)


def load_command(name: str) -> ModuleType:
    """Import the module behind one command."""
    return importlib.import_module(f"dev_cli.commands.{name.replace('-', '_')}")


def summary(module: ModuleType) -> str:
    """Give a command's one-line summary: its module's docstring."""
    return (module.__doc__ or "").strip().splitlines()[0]


def build_parser(name: str, module: ModuleType) -> argparse.ArgumentParser:
    """Build the parser of one command."""
    parser = argparse.ArgumentParser(prog=f"./dev {name}", description=summary(module))
    module.add_arguments(parser)
    return parser
