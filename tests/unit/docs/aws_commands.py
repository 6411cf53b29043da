"""Holds a command of the AWS CLI to what the service's model says: operation, options, what is required, values."""

import functools
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

OF_EVERY_COMMAND = {"region", "query", "output", "profile", "no-cli-pager", "max-items", "page-size"}
"""AWS CLI reference, "Global options" and the pagination options."""

FLAGS_OF_EVERY_COMMAND = {"no-cli-pager"}

OF_THE_CLI_ITSELF = {("configure",), ("sso", "login"), ("s3", "ls"), ("s3", "cp"), ("s3", "sync"), ("logs", "tail")}
"""Commands that are no operation of a service, and are known."""

POSITIONAL = {("lambda", "invoke"): 1}
"""How many words an operation takes behind its options: the file for the answer."""


@functools.cache
def _session() -> Any:
    return botocore.session.get_session()


@functools.cache
def _operations(service: str) -> dict[str, Any]:
    model = _session().get_service_model(service)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def fault_of(command: str, *, complete: bool = True) -> str:
    """Tell what is wrong with a command, or nothing; `complete`: what is required has to be there."""
    words = shlex.split(command)
    service, *rest = words[1:]
    if any(tuple(words[1 : 1 + len(known)]) == known for known in OF_THE_CLI_ITSELF):
        return ""
    try:
        operations = _operations(service)
    except UnknownServiceError:
        return f"there is no service {service}"
    if not rest:
        return "names no operation"
    name, *options = rest
    if name == "wait":
        return _fault_of_waiter(service, options, complete=complete)
    if name not in operations:
        return f"{service} has no operation {name}"
    return _fault_of_options(service, name, options, complete=complete)


def _fault_of_waiter(service: str, words: list[str], *, complete: bool) -> str:
    waiters = _session().get_waiter_model(service)
    for name in waiters.waiter_names:
        if xform_name(name, "-") == words[0]:
            operation = xform_name(waiters.get_waiter(name).operation, "-")
            return _fault_of_options(service, operation, words[1:], complete=complete)
    return f"{service} can't wait for {words[0]}"


def _fault_of_options(service: str, name: str, words: list[str], *, complete: bool) -> str:
    shape = _operations(service)[name].input_shape
    members = dict(shape.members) if shape else {}
    named = {xform_name(member, "-"): member for member in members}
    given: set[str] = set()
    words = words[: len(words) - POSITIONAL.get((service, name), 0)]
    for option, values in _by_option(words):
        if not option:
            return f"{service} {name} takes options alone"
        key = option if option in named else option.removeprefix("no-")
        if option in OF_EVERY_COMMAND:
            if (option in FLAGS_OF_EVERY_COMMAND) == bool(values):
                return f"--{option} takes {'no' if values else 'a'} value"
            continue
        if key not in named:
            return f"{service} {name} has no option --{option}"
        given.add(named[key])
        if fault := _fault_of_value(members[named[key]], values, negated=key != option):
            return f"--{option} {fault}"
    missing = set(shape.required_members if shape else ()) - given
    if complete and missing:
        return f"{service} {name} needs {', '.join('--' + xform_name(one, '-') for one in sorted(missing))}"
    return ""


def _by_option(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each option with the words behind it; words before any option stand under none."""
    option, values = "", list[str]()
    for word in words:
        if word.startswith("--"):
            if option or values:
                yield option, values
            option, values = word.removeprefix("--"), []
        else:
            values.append(word)
    if option or values:
        yield option, values


def _fault_of_value(shape: Any, values: list[str], *, negated: bool) -> str:
    if shape.type_name == "boolean":
        return "takes no value" if values else ""
    if negated:
        return "can't be negated"
    if not values:
        return "lacks its value"
    if shape.type_name == "list":
        return next(filter(None, (_fault_of_one(shape.member, value) for value in values)), "")
    if len(values) > 1:
        return "takes one value"
    return _fault_of_one(shape, values[0])


def _fault_of_one(shape: Any, value: str) -> str:
    if value.startswith(("{", "[")):
        return _fault_of_json(shape, json.loads(value))
    if shape.type_name == "structure":
        keys = re.findall(r"(?:^|,)(\w+)=", value)
        unknown = set(keys) - set(shape.members)
        return f"has no {', '.join(sorted(unknown))}" if unknown or not keys else ""
    if shape.type_name in ("integer", "long") and not re.fullmatch(r"\d+|[A-Z_$]+", value):
        return f"takes a number, not {value}"
    enum = getattr(shape, "enum", None)
    if enum and value not in enum and not re.fullmatch(r"[A-Z]+|\$\w+", value):
        return f"can't be {value}"
    return ""


def _fault_of_json(shape: Any, value: Any) -> str:
    if shape.type_name == "structure" and isinstance(value, dict):
        unknown = value.keys() - shape.members.keys()
        return f"has no {', '.join(sorted(unknown))}" if unknown else ""
    return "" if shape.type_name in ("list", "map", "string") else f"takes no {type(value).__name__}"
