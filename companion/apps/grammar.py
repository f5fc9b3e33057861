"""The command line's grammar: what can be typed, and what becomes of it.

Nothing that a command needs is imported before the command is known, so that help, a wrong option
and a list come at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from companion.apps.terminal import one_line
from companion.streams.bad_input import BadInput

EXAMPLES = """examples:
  companion compare sales.csv --target sold --time day
  companion compare sensor.csv.gz --target failed --time at --label-delay 2D --report out.html
  companion compare patients.parquet --target dose --time visit --key patient
  companion describe sales.csv --target sold --time day
  companion compare data.parquet --target y --quick --cost-of-error 2 --cost-of-update 500
  companion check my_module:MyStrategy
"""


def add_table(command: argparse.ArgumentParser) -> None:
    """Add the options that say how a table is read."""
    command.add_argument("file", help="a CSV (also .gz) or Parquet file")
    command.add_argument("--target", required=True, help="the column to predict")
    command.add_argument("--time", help="the column that orders the rows")
    command.add_argument(
        "--time-format",
        metavar="FORMAT",
        help="how times are written, such as %%d.%%m.%%Y, or year, unix-s, unix-ms, unix-us",
    )
    command.add_argument("--key", help="the column that says whom or what a row belongs to")
    command.add_argument("--weight", help="the column that says how much a row counts")
    command.add_argument(
        "--task",
        choices=("auto", "regression", "classification"),
        default="auto",
        help="numbers or classes; auto takes text, or at most 10 whole numbers, for classes",
    )


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    top = argparse.ArgumentParser(
        prog="companion",
        description="Which strategy pays for your stream: frozen, refitted or online?",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    one = commands.add_parser(
        "compare",
        help="compare strategies on a table of your own",
        description="Compare baselines, frozen, refitted and online models on the same rows.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_table(one)
    one.add_argument("--label-delay", default="0", metavar="DELAY",
                     help="when labels arrive: rows (5) or a time (2D, 12h, 30min)")  # fmt: skip
    one.add_argument("--warmup", type=float, default=0.2, help="share of rows to learn from first")
    one.add_argument("--newest", type=int, metavar="ROWS", help="compare the newest rows alone")
    one.add_argument("--quick", action="store_true", help="baselines and linear models only")
    one.add_argument(
        "--metric",
        choices=(
            "mae",
            "rmse",
            "mase",
            "bias",
            "error",
            "balanced",
            "recall",
            "pr-area",
            "log-loss",
            "calibration",
        ),
        help="what judges: mae, rmse, mase or bias for numbers; error, balanced (each class "
        "alike), recall or pr-area (precision-recall area) of the rarest class, log-loss or "
        "calibration for classes",
    )
    one.add_argument(
        "--budget", metavar="TIME", help="a limit (60s, 5min): the cheap ones first, the rest not"
    )
    one.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="MODULE:NAME",
        help="a model of your own: a class or function that returns a scikit-learn or River model",
    )
    one.add_argument(
        "--cost-of-error",
        type=float,
        metavar="COST",
        help="cost of one unit of error, or of one wrong class; prints what pays",
    )
    one.add_argument("--cost-of-update", type=float, metavar="COST", help="of one retraining")
    one.add_argument("--cost-of-label", type=float, metavar="COST", help="of one label used")
    one.add_argument("--jobs", type=int, metavar="N", help="processes; -1 takes all cores")
    one.add_argument(
        "--runs",
        metavar="FOLDER",
        help="keep finished runs here; an interrupted command goes on from them",
    )
    one.add_argument(
        "--fresh", action="store_true", help="forget what an interrupted command had finished"
    )
    one.add_argument(
        "--worlds",
        action="store_true",
        help="see whether the winner's lead stays: leave rows out, and run it with other warm-ups",
    )
    one.add_argument("--report", metavar="FILE", help="write an HTML report")
    one.add_argument(
        "--script", metavar="FILE", help="write a Python script that runs what is advised on"
    )
    one.add_argument(
        "--save",
        metavar="FILE",
        help="write the table, by all measures, as CSV, or as JSON if it ends so",
    )
    one.set_defaults(run="command_line:run_compare")
    five = commands.add_parser(
        "describe",
        help="show how a table of your own is read",
        description="Show how a table is read: rows, time, target, features, gaps. Nothing is run.",
        epilog="example:\n  companion describe sales.csv --target sold --time day",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_table(five)
    five.set_defaults(run="command_line:run_describe")
    two = commands.add_parser("streams", help="list the data sets of the book")
    two.set_defaults(run="small:run_streams")
    three = commands.add_parser("demo", help="run the first chapter's comparison")
    three.set_defaults(run="command_line:run_demo")
    four = commands.add_parser(
        "check",
        help="check a strategy of your own",
        description="Check that a strategy of your own keeps what every strategy promises: "
        "blocks equal rows, no look-ahead, seeds, copies.",
        epilog="example:\n  companion check my_module:MyStrategy",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    four.add_argument("strategy", help="module:Class, or module:function that returns one")
    four.add_argument("--task", choices=("auto", "regression", "classification"), default="auto")
    four.set_defaults(run="command_line:run_check")
    five = commands.add_parser(
        "key",
        help="the key that seals your checkpoints",
        description="Say where the key is that seals your checkpoints, so that nobody else's is "
        "read. It is made the first time, and COMPANION_KEY can name another place.",
    )
    five.add_argument(
        "--rotate",
        action="store_true",
        help="make a new key; checkpoints sealed with the old one are refused from then on",
    )
    five.set_defaults(run="small:run_key")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 is done, 2 is bad input, 130 is Ctrl-C, 1 is our own fault."""
    args = parser().parse_args(argv)
    try:
        module, _, name = args.run.partition(":")
        code = getattr(import_module(f"companion.apps.{module}"), name)(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BadInput as error:
        print(f"companion: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("companion: stopped; nothing was written", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        print(
            f"companion: this command needs {error.name}; "
            'install it with: pip install "static-vs-dynamic-companion[cli]"',
            file=sys.stderr,
        )
        return 1
    except Exception as error:
        if os.environ.get("COMPANION_DEBUG"):
            raise
        print(
            f"companion: something went wrong inside ({type(error).__name__}: {one_line(error)}); "
            "set COMPANION_DEBUG=1 to see where, and please report it",
            file=sys.stderr,
        )
        return 1
