"""Wind turbines on Spark: one shared line, and each its own correction."""

import sys
from pathlib import Path

from sklearn.linear_model import LinearRegression

from companion import Online, PerKey, Static, streams
from companion.lineups import online_line
from companion.scale.keyed import fit_per_key
from companion.scale.spark import answers, columns, local_session


def main(folder: Path) -> None:
    """Answer what is in the folder's log; the next call goes on from there."""
    personal = Online(online_line(0))
    strategy = PerKey(Static(LinearRegression()), personal, after=24)
    turbines = streams.wind_turbines()
    known = fit_per_key(strategy, turbines, warmup=2_000, label_delay="6h")

    spark = local_session(cores=2)
    reader = spark.readStream.schema(columns(known.features))
    reader = reader.option("maxFilesPerTrigger", 1)
    log = reader.parquet(str(folder / "log"))

    writer = answers(log, known, patience="7D").writeStream
    writer = writer.option("checkpointLocation", str(folder / "checkpoint"))
    writer = writer.format("parquet").trigger(availableNow=True)
    writer.start(str(folder / "answers")).awaitTermination()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
