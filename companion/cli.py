"""The command line: point the companion at a table of your own."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time as clock
from collections.abc import Callable, Sequence
from pathlib import Path

from companion import streams
from companion.compare import Comparison, compare
from companion.contract import check_strategy
from companion.recommend import recommend
from companion.report import page
from companion.rivals import BASELINES, usual_rivals
from companion.store import write_whole
from companion.strategies import Strategy
from companion.stream import Stream
from companion.table import BadInput, from_csv

EXAMPLES = """examples:
  companion compare sales.csv --target sold --time day
  companion compare sensor.csv.gz --target failed --time at --label-delay 2D --report out.html
  companion compare patients.parquet --target dose --time visit --key patient
  companion compare data.parquet --target y --quick --cost-of-error 2 --cost-of-update 500
  companion check my_module:MyStrategy
"""
TRIAL = 2_000  # rows of the trial run from which the time is estimated
LONG = 20_000  # streams with fewer rows need no estimate and no second process


def answer(result: Comparison) -> list[str]:
    """Say in plain words what the comparison shows."""
    best = result.table()[0]["strategy"]
    sentences = [f"The smallest error has {best}: {result.score(best):,.4g} {result.unit}".rstrip()
                 + "."]  # fmt: skip
    baselines = [name for name in BASELINES if name in result.runs]
    rivals = [min(baselines, key=result.score)] if baselines else []
    for rival in [*rivals, "frozen linear"]:
        if rival == best or rival not in result.runs:
            continue
        gap = result.difference(rival, best)
        numbers = f"{gap.value:,.4g} ({gap.low:,.4g} to {gap.high:,.4g})"
        if gap.low > 0:
            sentences.append(f"It beats {rival} by {numbers}, clear of zero.")
        else:
            sentences.append(f"Whether it beats {rival} we cannot tell: the gap is {numbers}.")
    if best in baselines:
        sentences.append("No model earned its keep here: the best guess needs none.")
    return sentences


def writable(path: Path) -> Path:
    """Return the path if a file can be written there, before any long work."""
    if path.is_dir():
        raise BadInput(f"{path}: this is a folder; give the name of a file in it")
    if not path.parent.is_dir():
        raise BadInput(f"{path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise BadInput(f"{path}: the folder {path.parent} cannot be written to; choose another")
    return path


def label_delay(text: str) -> int | str:
    """Read a label delay: a number of rows, or a duration."""
    from companion.prequential import duration

    if text.lstrip("-").isdigit():
        if int(text) < 0:
            raise BadInput(f"--label-delay {text}: a label cannot arrive before its row; use 0")
        return int(text)
    try:
        duration(text)
    except ValueError as error:
        raise BadInput(f"--label-delay: {error}") from None
    return text


def runs_folder(file: str, named: str | None) -> Path:
    """Return the folder in which finished runs are kept until the comparison is whole."""
    folder = Path(named) if named else Path(f"{Path(file).name}.runs")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"{folder}: finished runs cannot be kept there ({error.strerror}); "
            "name another folder with --runs"
        ) from None
    if not os.access(folder, os.W_OK):
        raise BadInput(f"{folder}: this folder cannot be written to; choose another with --runs")
    return folder


def expected_seconds(
    stream: Stream, rivals: Callable[[Stream], dict[str, Strategy]], jobs: int
) -> float:
    """Estimate the wall-clock seconds of a comparison from a trial on the first rows."""
    trial = stream.take(slice(0, TRIAL))
    if stream.classes and len(set(trial.y.tolist())) < 2:
        return float("nan")
    started = clock.perf_counter()
    compare(trial, rivals(trial), warmup=0.2, seeds=range(1))
    return (clock.perf_counter() - started) * len(stream) / TRIAL / max(1, jobs)


def rough(seconds: float) -> str:
    """Return a time span in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"


def run_compare(args: argparse.Namespace) -> int:
    """``companion compare``: read, check, run, print, write."""
    outputs = [writable(Path(name)) for name in (args.report, args.save) if name]
    if not 0 < args.warmup < 1:
        raise BadInput(f"--warmup {args.warmup}: give a share of the rows between 0 and 1")
    prices = prices_of(args)
    delay = label_delay(args.label_delay)
    if isinstance(delay, str) and not args.time:
        raise BadInput(f"--label-delay {delay}: a delay in time needs --time; or give rows")
    stream, notes = from_csv(args.file, args.target, time=args.time, key=args.key, task=args.task)

    def rivals(some: Stream) -> dict[str, Strategy]:
        return usual_rivals(some, quick=args.quick)

    jobs = args.jobs or (1 if len(stream) < LONG else os.cpu_count() or 1)
    if len(stream) >= LONG:
        tell_time(stream, rivals, jobs)
    folder = runs_folder(args.file, args.runs)
    try:
        result = compare(
            stream, rivals(stream), warmup=args.warmup, label_delay=delay, seeds=range(1),
            reference="frozen linear", progress=sys.stderr.isatty(), folder=folder,
            n_jobs=jobs,
        )  # fmt: skip
    except ValueError as error:
        if not args.runs:
            drop_runs(folder)
        raise BadInput(f"{args.file}: {error}") from None
    except KeyboardInterrupt:
        done = len(list(folder.glob("*.npz")))
        print(
            f"companion: stopped; {done} of {len(rivals(stream))} runs are finished and kept in "
            f"{folder}; the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    sentences = answer(result)
    if prices:
        sentences += recommend(result, **prices).sentences
    print(result, "", *sentences, *(f"Note: {note}." for note in notes), sep="\n")
    if args.report:
        write_whole(Path(args.report), page(result, sentences, notes).encode())
    if args.save:
        write_whole(Path(args.save), result.to_csv().encode())
    for path in outputs:
        print(f"Written: {path}")
    if not args.runs:
        drop_runs(folder)
    return 0


def drop_runs(folder: Path) -> None:
    """Remove finished runs that are no longer needed, and their folder if nothing else is in it."""
    for path in folder.glob("*.npz*"):
        path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def tell_time(stream: Stream, rivals: Callable[[Stream], dict[str, Strategy]], jobs: int) -> None:
    """Say how long a long comparison may take, before it starts."""
    seconds = expected_seconds(stream, rivals, jobs)
    if seconds == seconds:
        print(
            f"companion: {len(stream):,} rows, {len(rivals(stream))} strategies: about "
            f"{rough(seconds)}; --quick takes less, Ctrl-C keeps what is finished",
            file=sys.stderr,
        )


def prices_of(args: argparse.Namespace) -> dict[str, float]:
    """Return the costs that were given, or nothing if errors have no price."""
    prices = {
        name: getattr(args, name)
        for name in ("cost_of_error", "cost_of_update", "cost_of_label")
        if getattr(args, name) is not None
    }
    for name, price in prices.items():
        if not 0 <= price < float("inf") or (name == "cost_of_error" and price == 0):
            raise BadInput(f"--{name.replace('_', '-')} {price}: give a cost above zero")
    if prices and "cost_of_error" not in prices:
        raise BadInput("--cost-of-error is missing: other costs are weighed against it")
    return prices


def run_check(args: argparse.Namespace) -> int:
    """``companion check``: try a strategy of your own against what every strategy promises."""
    module_name, colon, name = args.strategy.partition(":")
    if not colon or not module_name or not name:
        raise BadInput(f"{args.strategy}: write module:Class, such as my_module:MyStrategy")
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise BadInput(
            f"{module_name}: the module cannot be imported "
            f"({type(error).__name__}: {error}); run this in its folder, without .py"
        ) from None
    if not hasattr(module, name):
        raise BadInput(f"{module_name}: there is no {name!r} in this module; check its spelling")
    broken = 0
    for words, classes in (("numbers", 0), ("2 classes", 2)):
        if args.task != "auto" and (args.task == "regression") != (classes == 0):
            continue
        try:
            kept = check_strategy(getattr(module, name), classes=classes)
        except Exception as error:
            broken += 1
            said = str(error) if isinstance(error, AssertionError) else repr(error)
            print(f"{name} on {words}: broken: {said}")
        else:
            print(*(f"{name} on {words}: kept: {promise}" for promise in kept), sep="\n")
    return 1 if broken else 0


def run_streams(args: argparse.Namespace) -> int:
    """``companion streams``: list the data sets."""
    for name, card in streams.cards().items():
        size = (streams.DATA / card["file"]).stat().st_size / 1000
        kind = "real" if card["real"] else "simulated"
        print(f"{name}: {card['title']}, {card['rows']:,} rows, {kind}, {size:,.0f} kB")
        print(f"  {card['span']}")
        print(f"  licence: {card['licence']}; source: {card['source']}")
    return 0


def run_demo(args: argparse.Namespace) -> int:
    """``companion demo``: the first chapter's comparison."""
    bikes = streams.bike_sharing()
    print("A city learns to cycle: 731 days of bike rides, the first fifth to learn from.\n")
    result = compare(bikes, usual_rivals(bikes), reference="frozen linear", seeds=range(1))
    print(result, "", *answer(result), sep="\n")
    return 0


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
    one.add_argument("file", help="a CSV (also .gz) or Parquet file")
    one.add_argument("--target", required=True, help="the column to predict")
    one.add_argument("--time", help="the column that orders the rows")
    one.add_argument("--key", help="the column that says whom or what a row belongs to")
    one.add_argument("--label-delay", default="0", metavar="DELAY",
                     help="when labels arrive: rows (5) or a time (2D, 12h, 30min)")  # fmt: skip
    one.add_argument("--warmup", type=float, default=0.2, help="share of rows to learn from first")
    one.add_argument("--task", choices=("auto", "regression", "classification"), default="auto")
    one.add_argument("--quick", action="store_true", help="linear models only, no hybrids")
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
    one.add_argument("--report", metavar="FILE", help="write an HTML report")
    one.add_argument("--save", metavar="FILE", help="write the table as CSV")
    one.set_defaults(run=run_compare)
    two = commands.add_parser("streams", help="list the data sets of the book")
    two.set_defaults(run=run_streams)
    three = commands.add_parser("demo", help="run the first chapter's comparison")
    three.set_defaults(run=run_demo)
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
    four.set_defaults(run=run_check)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 is done, 2 is bad input, 130 is Ctrl-C, 1 is our own fault."""
    args = parser().parse_args(argv)
    try:
        code = args.run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BadInput as error:
        print(f"companion: {error}", file=sys.stderr)
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
            f"companion: something went wrong inside ({type(error).__name__}: {error}); "
            "set COMPANION_DEBUG=1 to see where, and please report it",
            file=sys.stderr,
        )
        return 1
