"""The command line: point the companion at a table of your own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from companion import streams
from companion.compare import Comparison, compare
from companion.report import page
from companion.store import write_whole
from companion.strategies import Baseline, Online, Scheduled, Static, Strategy
from companion.streams import Stream
from companion.table import BadInput, from_csv

EXAMPLES = """examples:
  companion compare sales.csv --target sold --time day
  companion compare sensor.csv.gz --target failed --time at --label-delay 2D --report out.html
  companion compare data.parquet --target y --quick
"""


def strategies_for(stream: Stream, quick: bool = False) -> dict[str, Strategy]:
    """Return the rivals of a comparison: baselines, then frozen, refitted and online models.

    The refits come after every twentieth of the rows, on the newest fifth.
    """
    from river import linear_model, optim, preprocessing
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n = len(stream)
    every, window = max(1, n // 20), max(10, n // 5)
    rivals: dict[str, Strategy] = {"no change": Baseline("no-change")}
    if stream.task == "regression":
        rivals["rolling mean of 14"] = Baseline("rolling", rows=14)
        linear = make_pipeline(StandardScaler(), LinearRegression())
        boosting = HistGradientBoostingRegressor()
        line = linear_model.LinearRegression(optimizer=optim.SGD(0.01), intercept_lr=0.03)
        online = preprocessing.StandardScaler() | preprocessing.TargetStandardScaler(line)
    else:
        rivals["majority"] = Baseline("majority")
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        boosting = HistGradientBoostingClassifier()
        two = len(stream.classes) == 2
        last = linear_model.LogisticRegression() if two else linear_model.SoftmaxRegression()
        online = preprocessing.StandardScaler() | last
    rivals["frozen linear"] = Static(linear)
    rivals["refit linear"] = Scheduled(linear, every=every, window=window)
    rivals["online linear"] = Online(online)
    if not quick:
        rivals["frozen boosting"] = Static(boosting)
        rivals["refit boosting"] = Scheduled(boosting, every=every, window=window)
    return rivals


def answer(result: Comparison) -> list[str]:
    """Say in plain words what the comparison shows."""
    best = result.table()[0]["strategy"]
    sentences = [f"The smallest error has {best}: {result.score(best):,.4g} {result.unit}".rstrip()
                 + "."]  # fmt: skip
    baselines = [name for name in ("no change", "rolling mean of 14", "majority")
                 if name in result.runs]  # fmt: skip
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


def run_compare(args: argparse.Namespace) -> int:
    """``companion compare``: read, check, run, print, write."""
    outputs = [writable(Path(name)) for name in (args.report, args.save) if name]
    if not 0 < args.warmup < 1:
        raise BadInput(f"--warmup {args.warmup}: give a share of the rows between 0 and 1")
    delay = label_delay(args.label_delay)
    if isinstance(delay, str) and not args.time:
        raise BadInput(f"--label-delay {delay}: a delay in time needs --time; or give rows")
    stream, notes = from_csv(args.file, args.target, time=args.time, task=args.task)
    try:
        result = compare(
            stream,
            strategies_for(stream, args.quick),
            warmup=args.warmup,
            label_delay=delay,
            seeds=range(1),
            reference="frozen linear",
            progress=sys.stderr.isatty(),
        )
    except ValueError as error:
        raise BadInput(f"{args.file}: {error}") from None
    sentences = answer(result)
    print(result, "", *sentences, *(f"Note: {note}." for note in notes), sep="\n")
    if args.report:
        write_whole(Path(args.report), page(result, sentences, notes).encode())
    if args.save:
        write_whole(Path(args.save), result.to_csv().encode())
    for path in outputs:
        print(f"Written: {path}")
    return 0


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
    result = compare(bikes, strategies_for(bikes), reference="frozen linear", seeds=range(1))
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
    one.add_argument("--label-delay", default="0", metavar="DELAY",
                     help="when labels arrive: rows (5) or a time (2D, 12h, 30min)")  # fmt: skip
    one.add_argument("--warmup", type=float, default=0.2, help="share of rows to learn from first")
    one.add_argument("--task", choices=("auto", "regression", "classification"), default="auto")
    one.add_argument("--quick", action="store_true", help="linear models only")
    one.add_argument("--report", metavar="FILE", help="write an HTML report")
    one.add_argument("--save", metavar="FILE", help="write the table as CSV")
    one.set_defaults(run=run_compare)
    two = commands.add_parser("streams", help="list the data sets of the book")
    two.set_defaults(run=run_streams)
    three = commands.add_parser("demo", help="run the first chapter's comparison")
    three.set_defaults(run=run_demo)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 is done, 2 is bad input, 130 is Ctrl-C, 1 is our own fault."""
    args = parser().parse_args(argv)
    try:
        return args.run(args)
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
