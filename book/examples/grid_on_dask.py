"""The comparison of the weather, on a Dask cluster of two workers."""

import joblib
from dask.distributed import Client, LocalCluster

from companion import compare, streams
from companion.lineups import table_lineup


def main() -> None:
    """Compare on the cluster, and print what came out."""
    days = streams.weather()
    rivals = table_lineup(days, quick=True)
    cluster = LocalCluster(n_workers=2, threads_per_worker=1)
    with cluster, Client(cluster), joblib.parallel_config("dask"):
        result = compare(days, rivals, progress=True)
    print(result)


if __name__ == "__main__":  # each worker reads this file too
    main()
