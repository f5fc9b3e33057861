"""Labels that arrive: a small service that predicts now and learns when the truth comes.

This is the worked example of chapter 19, not a product. Three rules carry it. A prediction is in
the store before it is answered. A label joins its prediction by an id, whenever it comes, and
counts once. The model is nothing but what the store's labels make of it, in the order in which
they came, so after a crash it is learnt anew from the last checkpoint on.

It asks nobody who they are, so it listens on this machine's own address only; to let others in, put
a proxy before it that knows its callers. One process serves a store::

    python -m companion.apps.serving --store sqlite:///rides.db --checkpoint rides.ckpt
    python -m companion.apps.serving --store postgresql+psycopg://me@localhost/rides
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import sqlalchemy as sql
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from companion import streams
from companion.apps.limits import Impatient, Limits
from companion.files.checkpoint import load, save
from companion.lineups import online_line
from companion.strategies import Online, Strategy

ADDRESS = "127.0.0.1"  # this machine's own; nobody is asked who they are
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
TABLES = sql.MetaData()
PREDICTIONS = sql.Table(
    "predictions", TABLES,
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("id", sql.String(64), unique=True, nullable=False),
    sql.Column("x", sql.Text, nullable=False),
    sql.Column("answer", sql.Double, nullable=False),
    sql.Column("labels_seen", sql.Integer, nullable=False),  # labels learnt before it was made
)  # fmt: skip
LABELS = sql.Table(
    "labels", TABLES,
    sql.Column("number", sql.Integer, primary_key=True),  # grows in the order of arrival
    sql.Column("id", sql.String(64), sql.ForeignKey("predictions.id"), unique=True, nullable=False),
    sql.Column("y", sql.Double, nullable=False),
)  # fmt: skip


class LabelService:
    """Where predictions are asked for and labels are handed in.

    Parameters
    ----------
    store : str
        The store's address: ``sqlite:///file.db``, or ``postgresql+psycopg://...``.
    strategy : Strategy
        As it is before the first label; it is changed.
    features : sequence of str
        The names of a request's numbers, in the order of the strategy's columns.
    checkpoint : str or Path, optional
        A file that saves learning all labels again after a crash.
    every : int
        Labels between two checkpoints.

    Examples
    --------
    >>> from companion import Baseline
    >>> last = Baseline("no-change")
    >>> last.fit(np.zeros((1, 1)), np.array([5.0]))
    >>> desk = LabelService("sqlite://", last, ["heat"])
    >>> desk.predict("monday", {"heat": 0.3}), desk.label("monday", 7.0)
    (5.0, True)
    >>> desk.predict("tuesday", {"heat": 0.4}), desk.label("monday", 7.0)
    (7.0, False)
    """

    def __init__(
        self,
        store: str,
        strategy: Strategy,
        features: Sequence[str],
        *,
        checkpoint: str | Path | None = None,
        every: int = 100,
    ) -> None:
        self.engine, self.features = open_store(store), list(features)
        self.checkpoint, self.every = checkpoint, every
        self.strategy, self.labels_seen, self.newest = strategy, 0, 0
        self.lock = threading.Lock()
        if checkpoint is not None and Path(checkpoint).exists():
            found = load(checkpoint)
            self.strategy, self.newest = found.strategy, found.more
            self.labels_seen = found.position
        with self.lock:
            self.catch_up()

    def predict(self, id: str, x: Mapping[str, float]) -> float:
        """Return a prediction that is in the store; asked again, return the same one."""
        wrong = sorted(set(x) ^ set(self.features))
        if wrong:
            raise HTTPException(
                422, f"x must hold {', '.join(self.features)}; look at {wrong[0][:60]!r}"
            )
        row = [float(x[name]) for name in self.features]
        with self.lock, self.engine.begin() as db:
            old = db.execute(sql.select(PREDICTIONS).where(PREDICTIONS.c.id == id)).first()
            if old is not None:
                if json.loads(old.x) != row:
                    raise HTTPException(
                        409, f"{id!r} was asked before, of another row; take a new id"
                    )
                return old.answer
            answer = float(self.strategy.predict(np.array([row]))[0])
            if not np.isfinite(answer):
                raise HTTPException(500, "the model has diverged; audit the store's labels")
            told = {"answer": answer, "labels_seen": self.labels_seen}
            new = {"id": id, "x": json.dumps(row), **told}
            db.execute(sql.insert(PREDICTIONS).values(new))
        return answer  # the store has it

    def label(self, id: str, y: float) -> bool:
        """Take a label; return whether it is new."""
        with self.lock:
            with self.engine.begin() as db:
                asked = sql.select(PREDICTIONS.c.id).where(PREDICTIONS.c.id == id)
                if db.execute(asked).first() is None:
                    raise HTTPException(404, f"there is no prediction {id!r}; ask for it first")
                old = db.execute(sql.select(LABELS.c.y).where(LABELS.c.id == id)).first()
                if old is not None and old.y != y:
                    raise HTTPException(
                        409, f"the label of {id!r} is {old.y:g}; labels do not change"
                    )
                if old is None:
                    db.execute(sql.insert(LABELS).values(id=id, y=y))
            self.catch_up()
        return old is None

    def catch_up(self) -> None:
        """Learn the labels that are in the store and not yet in the model."""
        for number, row, y in history(self.engine, after=self.newest):
            self.strategy.learn(row, y)
            self.labels_seen, self.newest = self.labels_seen + 1, number
            if self.checkpoint is not None and self.labels_seen % self.every == 0:
                save(self.checkpoint, self.strategy, self.labels_seen, self.newest)


def open_store(address: str) -> sql.Engine:
    """Open a store; make its tables if they are not there. What is committed is on the disk."""
    memory = {"poolclass": sql.StaticPool, "connect_args": {"check_same_thread": False}}
    engine = sql.create_engine(address, **(memory if address == "sqlite://" else {}))
    if engine.dialect.name == "sqlite":

        @sql.event.listens_for(engine, "connect")
        def durable(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")

    TABLES.create_all(engine)
    return engine


def history(engine: sql.Engine, after: int = 0) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield each label with its row, in the order of arrival."""
    joined = sql.select(LABELS.c.number, PREDICTIONS.c.x, LABELS.c.y).join_from(LABELS, PREDICTIONS)
    with engine.connect() as db:
        found = db.execute(joined.where(LABELS.c.number > after).order_by(LABELS.c.number)).all()
    for number, x, y in found:
        yield number, np.array([json.loads(x)]), np.array([y])


def audit(store: str, strategy: Strategy) -> tuple[int, int, Strategy]:
    """Learn a store's labels again, in one process, and make every prediction again.

    Returns how many predictions there are, how many of them come out otherwise, and the strategy
    that was given (as it was before the first label), now with all labels learnt.

    Examples
    --------
    >>> from companion import Baseline
    >>> last = Baseline("no-change")
    >>> last.fit(np.zeros((1, 1)), np.array([5.0]))
    >>> audit("sqlite://", last)[:2]
    (0, 0)
    """
    engine = open_store(store)
    with engine.connect() as db:
        asked = db.execute(sql.select(PREDICTIONS).order_by(PREDICTIONS.c.labels_seen)).all()
    labels, labels_seen, differing = history(engine), 0, 0
    for one in asked:
        while labels_seen < one.labels_seen:
            _, row, y = next(labels)
            strategy.learn(row, y)
            labels_seen += 1
        differing += float(strategy.predict(np.array([json.loads(one.x)]))[0]) != one.answer
    for _, row, y in labels:
        strategy.learn(row, y)
    engine.dispose()
    return len(asked), differing, strategy


class Question(BaseModel):
    """What is known of a row, and the id by which its label will come."""

    model_config = ConfigDict(strict=True, extra="forbid")
    id: Id
    x: dict[str, Number]


class Truth(BaseModel):
    """The label of a row."""

    model_config = ConfigDict(strict=True, extra="forbid")
    id: Id
    y: Number


def web_app(desk: LabelService) -> FastAPI:
    """Return the desk's web service: ``POST /predictions``, ``POST /labels``, ``GET /state``.

    Examples
    --------
    >>> from companion import Baseline
    >>> app = web_app(LabelService("sqlite://", Baseline("no-change"), ["heat"]))
    >>> [path for path in app.openapi()["paths"]]
    ['/predictions', '/labels', '/state']
    """
    app = FastAPI(title="A model that learns when the truth comes")
    app.add_middleware(Limits)

    @app.post("/predictions")
    def predictions(question: Question) -> dict[str, Any]:
        return {"id": question.id, "answer": desk.predict(question.id, question.x)}

    @app.post("/labels")
    def labels(truth: Truth) -> dict[str, Any]:
        return {"id": truth.id, "new": desk.label(truth.id, truth.y)}

    @app.get("/state")
    def state() -> dict[str, int]:
        return {"labels_learnt": desk.labels_seen}

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return sentence(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return sentence(422, f"{place[:80]}: {first['msg'][:200]}")

    @app.exception_handler(sql.exc.SQLAlchemyError)
    async def no_store(_: Request, error: sql.exc.SQLAlchemyError) -> JSONResponse:
        return sentence(503, "the store does not answer; ask again with the same id")

    return app


def sentence(status: int, text: str) -> JSONResponse:
    """Return an error as one sentence."""
    return JSONResponse({"error": text}, status)


def bike_model() -> tuple[Strategy, tuple[str, ...]]:
    """Return the example's model, fitted on the first fifth of the bike days, and its features."""
    bikes, strategy = streams.bike_sharing(), Online(online_line(0))
    strategy.set_schema(bikes.features, 0)
    strategy.fit(bikes.X[:146], bikes.y[:146])
    return strategy, bikes.features


def main(argv: Sequence[str] | None = None) -> None:
    """Serve the example on this machine's own address."""
    import uvicorn

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--store", default="sqlite:///rides.db")
    parser.add_argument("--checkpoint", help="a file in a folder that only you can write to")
    parser.add_argument("--port", type=int, default=8000)
    args = parser.parse_args(argv)
    try:
        desk = LabelService(args.store, *bike_model(), checkpoint=args.checkpoint)
    except ValueError as error:  # such as a checkpoint that somebody else sealed
        parser.exit(2, f"serving: {error}\n")
    limits = {"http": Impatient, "limit_concurrency": 200}
    uvicorn.run(web_app(desk), host=ADDRESS, port=args.port, log_level="warning", **limits)


if __name__ == "__main__":
    main()
