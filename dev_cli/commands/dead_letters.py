"""Shows the records that functions gave up, and brings back those that may go back."""

import argparse
import json

from dev_cli.dead_letters.times import parse_time_ms
from dev_cli.stage_names import STAGES

PLACES = "PARTITION/OFFSET"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", choices=("list", "show", "redrive"), help="what to do")
    parser.add_argument(
        "places", nargs="*", metavar=PLACES, help="which letters, as `list` names them; redrive: default all that match"
    )
    parser.add_argument("--stage", choices=STAGES, default="local", help="which stage (default local)")
    parser.add_argument(
        "--since", type=parse_time_ms, metavar="TIME", help="given up since: 90m, 6h, 3d, or a UTC time"
    )
    parser.add_argument("--until", type=parse_time_ms, metavar="TIME", help="given up before")
    parser.add_argument("--topic", help="from this topic")
    parser.add_argument("--reason", choices=("unreadable", "bad_data", "fault", "push_refused"), help="for this reason")
    parser.add_argument("--function", help="given up by this function, logic-upstream for example")
    parser.add_argument("--again", action="store_true", help="redrive: also what was brought back before")
    parser.add_argument("--yes", action="store_true", help="redrive: do it, and not only say what would be done")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """List, show or redrive; 1 if a letter that was named can't be brought back."""
    from dev_cli.aws.errors import told_as_failures
    from dev_cli.aws.target import find_target
    from dev_cli.dead_letters import printing
    from dev_cli.dead_letters.desk import Desk
    from dev_cli.failure import Failure

    with told_as_failures():
        desk = Desk(find_target(arguments.stage))
        filters = {
            "since_ms": arguments.since or 0,
            "until_ms": arguments.until,
            "topic": arguments.topic,
            "reason": arguments.reason,
            "function": arguments.function,
        }
        if arguments.what == "list":
            answer = desk.list(filters)
            print(json.dumps(answer) if arguments.json else printing.listing(answer))
            return 0
        if arguments.what == "show":
            if not arguments.places:
                raise Failure(f"which one? ./dev dead-letters show {PLACES}, as `list` names it.")
            shown = [desk.show(place) for place in arguments.places]
            print(json.dumps(shown) if arguments.json else "\n\n".join(printing.letter(one) for one in shown))
            return 0
        places = arguments.places or [one["place"] for one in desk.list(filters)["letters"]]
        verdicts = desk.redrive(places, dry_run=not arguments.yes, again=arguments.again)
    print(json.dumps(verdicts) if arguments.json else printing.verdicts(verdicts, dry_run=not arguments.yes))
    named = bool(arguments.places)
    return int(named and any(one["outcome"] in ("refused", "missing") for one in verdicts))
