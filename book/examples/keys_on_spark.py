"""Four wind turbines on Spark: one shared line, and a correction of its own for each."""

import sys
from pathlib import Path

from sklearn.linear_model import LinearRegression

from companion import Online, PerKey, Static, streams
from companion.keyed import learnt
from companion.rivals import online_line
from companion.spark import answers, columns, local_session


def main(folder: Path) -> None:
    """Answer all that is in the folder's log, then stop; the next call goes on from there."""
    strategy = PerKey(Static(LinearRegression()), Online(online_line(0)), after=24)
    known = learnt(strategy, streams.wind_turbines(), warmup=2_000, label_delay="6h")

    spark = local_session(cores=2)
    reader = spark.readStream.schema(columns(known.features))
    log = reader.option("maxFilesPerTrigger", 1).parquet(str(folder / "log"))
    writer = answers(log, known, patience="7D").writeStream.format("parquet")
    writer = writer.option("checkpointLocation", str(folder / "checkpoint"))
    query = writer.trigger(availableNow=True).start(str(folder / "answers"))
    query.awaitTermination()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
