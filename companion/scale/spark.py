"""A PerKey inside Apache Spark: one small model a key, kept in the engine's own state.

Structured Streaming reads the log in micro-batches, sorts its rows by key, keeps each key's state
in its checkpoint and starts again from there. What happens to one key's rows stands in
:mod:`companion.scale.keyed`. Nothing else of the companion imports this module. It needs the extra
``spark`` and Java 17, but only once a session starts.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from companion.scale.keyed import FittedPerKey, Memory, log_columns, update_key
from companion.stream import duration

TYPES = {"seq": "BIGINT", "key": "STRING", "row": "BIGINT", "time": "TIMESTAMP_NTZ", "y": "DOUBLE"}
MEMORY = "labels_seen BIGINT, layout BIGINT, model BINARY, waiting BINARY"
ANSWER = "key STRING, seq BIGINT, row BIGINT, prediction DOUBLE, labels_seen BIGINT, problem STRING"
ROCKSDB = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"


def columns(features: Sequence[str]) -> str:
    """Return the log's columns and types, as Spark's ``schema`` takes them.

    Examples
    --------
    >>> columns(["wind"])
    '`seq` BIGINT, `key` STRING, `row` BIGINT, `time` TIMESTAMP_NTZ, `y` DOUBLE, `wind` DOUBLE'
    """
    return ", ".join(f"`{name}` {TYPES.get(name, 'DOUBLE')}" for name in log_columns(features))


class Shipped:
    """A broadcast value that is opened only where rows are.

    Spark first asks a processor on the driver for its state's schema, and has no broadcasts there
    (PySpark 4.3 fails with BROADCAST_VARIABLE_NOT_LOADED); pickled within, it is let alone.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> pickle.loads(pickle.dumps(Shipped(SimpleNamespace(value="a model")))).value
    'a model'
    """

    def __init__(self, broadcast: Any) -> None:
        self.broadcast = broadcast

    def __reduce__(self) -> tuple:
        return Unopened, (pickle.dumps(self.broadcast),)


class Unopened:
    """A :class:`Shipped` that has arrived.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> Unopened(pickle.dumps(SimpleNamespace(value="a model"))).value
    'a model'
    """

    def __init__(self, packed: bytes) -> None:
        self.packed = packed

    @cached_property
    def value(self) -> Any:
        """What was shipped; a worker keeps it from one micro-batch to the next."""
        return pickle.loads(self.packed).value


class KeyState:
    """What Spark calls for each key of a micro-batch: state in, :func:`update_key`, state out.

    It has the methods of pyspark's ``StatefulProcessor``; being no subclass, this module can be
    read, tested and shown without Spark.

    Examples
    --------
    >>> sorted(name for name in vars(KeyState) if not name.startswith("_"))
    ['close', 'handleInputRows', 'init']
    """

    def __init__(self, shipped: Any, patience: str | None) -> None:
        self.shipped, self.patience = shipped, patience

    def init(self, handle: Any) -> None:
        """Take the handle to the state; called once a worker and micro-batch."""
        self.memory = handle.getValueState("memory", MEMORY)

    def handleInputRows(self, key: tuple, rows: Iterator[Any], timerValues: Any) -> Iterator[Any]:
        """Yield the answers to one key's new rows; Spark keeps the state only if all goes well."""
        from pyspark.sql import Row

        before = self.memory.get()
        memory, answers = update_key(
            self.shipped.value,
            key[0],
            None if before is None else Memory(*before),
            rows,
            patience=self.patience,
        )
        if memory is not None:
            self.memory.update(tuple(memory))
        for answer in answers:
            yield Row(**answer._asdict())

    def close(self) -> None:
        """Do nothing; Spark asks for it."""


def answers(log: Any, known: FittedPerKey, *, patience: str | None = None) -> Any:
    """Return the streaming table of answers to a streaming log.

    Parameters
    ----------
    log : pyspark.sql.DataFrame
        Streaming, with the columns of :func:`columns`.
    known : Learnt
        It is broadcast: each worker gets it once.
    patience : str, optional
        As for :func:`update_key`.

    Returns
    -------
    pyspark.sql.DataFrame
        Columns ``key, seq, row, prediction, labels_seen, problem``: one row for each question,
        and one for each row that was set aside, which has a ``problem`` and no prediction.

    Raises
    ------
    ValueError
        If the log lacks a column.

    Examples
    --------
    >>> import companion.scale.spark
    >>> companion.scale.spark.answers(log, known).writeStream.start("answers")  # doctest: +SKIP
    """
    wanted = log_columns(known.features)
    missing = [name for name in wanted if name not in log.columns]
    if missing:
        raise ValueError(
            f"the log has no column {', '.join(map(repr, missing))}; read it with "
            "schema=columns(features), features in the order of the history"
        )
    if patience is not None:
        duration(patience)
    shipped = log.sparkSession.sparkContext.broadcast(known)
    keyed = log.select([log[f"`{name}`"] for name in wanted]).groupBy("key")
    return keyed.transformWithState(KeyState(Shipped(shipped), patience), ANSWER, "Append", "None")


def states(session: Any, checkpoint: str | os.PathLike[str]) -> Any:
    """Return what a checkpoint holds of each key, also while its query runs.

    Returns
    -------
    pyspark.sql.DataFrame
        Columns ``key, labels_seen, model_bytes, waiting_bytes``.

    Examples
    --------
    >>> import companion.scale.spark
    >>> companion.scale.spark.states(session, "checkpoint").show()  # doctest: +SKIP
    """
    found = session.read.format("statestore").option("stateVarName", "memory")
    return found.load(str(checkpoint)).selectExpr(
        "key.key AS key",
        "value.labels_seen AS labels_seen",
        "coalesce(length(value.model), 0) AS model_bytes",
        "length(value.waiting) AS waiting_bytes",
    )


def local_session(cores: int = 2, partitions: int | None = None) -> Any:
    """Start Spark on this machine, with the settings that keyed state needs.

    On a cluster, set the same two: the RocksDB state store, and one interpreter for all.

    Parameters
    ----------
    cores : int
    partitions : int, optional
        Parts into which the keys are split; as many as cores if not given. It is written into a
        checkpoint and cannot be changed there.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    RuntimeError
        If PySpark or Java is missing.

    Examples
    --------
    >>> import companion.scale.spark
    >>> session = companion.scale.spark.local_session()  # doctest: +SKIP
    """
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"{error.name} is not installed; the extra brings it: "
            'pip install "static-vs-dynamic-companion[spark]"'
        ) from None
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise RuntimeError(
            "Spark needs Java 17 or later, and none was found; "
            "on Debian install the package openjdk-17-jre-headless"
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.sql.streaming.stateStore.providerClass": ROCKSDB,
        "spark.sql.shuffle.partitions": partitions or cores,
        "spark.ui.enabled": False,
        "spark.ui.showConsoleProgress": False,
    }
    building = SparkSession.builder.master(f"local[{cores}]").appName("companion")
    for name, value in settings.items():
        building = building.config(name, value)
    session = building.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
