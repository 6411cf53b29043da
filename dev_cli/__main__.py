"""Reads the command line of ./dev and runs the named command."""

import argparse
import os
import sys

from dev_cli.failure import Failure
from dev_cli.paths import CLIENT, ROOT
from dev_cli.registry import COMMANDS, build_parser, load_command

# The shell's convention for a program that Ctrl-C ended.
INTERRUPTED = 130


def main(argv: list[str]) -> int:
    """Run one command and give its exit code."""
    name, *rest = argv or ["help"]
    if name in ("-h", "--help"):
        name = "help"
    if name not in COMMANDS:
        print(f"./dev: there is no command {name!r}; ./dev help lists them.", file=sys.stderr)
        return 2
    module = load_command(name)
    parser = build_parser(name, module)
    # pytest's own options pass through `./dev test` untouched; everywhere else an unknown option is a mistake.
    if getattr(module, "PASSES_ARGUMENTS_ON", False) and not {"-h", "--help"} & set(rest):
        arguments = argparse.Namespace(rest=rest)
    else:
        arguments = parser.parse_args(rest)
    os.chdir(ROOT)
    # The commands are clients of a stage as its canary is, and use the same one.
    sys.path.append(str(CLIENT))
    try:
        return int(module.run(arguments))
    except Failure as failure:
        print(failure.render(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
