"""The engine for pools beyond one machine's memory: Splink on Spark, here in local mode, which needs Java 17.

DuckDB prepares the records and hands them over as Parquet; Spark blocks and weighs the pairs, with the conditions and
weights of the other engine in its own dialect; what it has found comes back as Parquet.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql.types import BooleanType, StringType
from splink import Linker, SparkAPI

from app.dedup.levels import birth_level
from app.dedup.rules import FEATURES, Knowledge
from app.dedup.sides import COUNTED
from app.sweeps.exported import Exported
from app.sweeps.prediction import THREADS, Found, found_by, least, stated, write_frequencies
from app.sweeps.worth import write_shared
from app.training.name_sql import level_of
from app.training.settings import CONDITIONS, NAME, Conditions

_NAME: Final = "name_level_of(name_l, name_r)"


def _spoken(condition: str) -> str:
    return condition.replace(NAME, _NAME).replace("list_has_any(", "arrays_overlap(")


SPOKEN: Final[Conditions] = {
    comparison: {level: _spoken(condition) for level, condition in levels.items()}
    for comparison, levels in CONDITIONS.items()
} | {"birth_date": {**CONDITIONS["birth_date"], "near": "is_near_birth(birth_date_l, birth_date_r)"}}
"""The conditions in Spark's dialect: where SQL of its own is missing, Spark asks the Python of the door."""


def find(exported: Exported, known: Knowledge) -> Found:
    """Weigh all pairs of an exported pool that share a key; blocks, so it is to be run in a thread."""
    return found_by(_predict, exported, known)


def _predict(db: duckdb.DuckDBPyConnection, known: Knowledge, folder: Path) -> tuple[str, int]:
    with _session(folder) as spark:
        api = SparkAPI(  # type: ignore[no-untyped-call]  # Splink gives it no types
            spark_session=spark, break_lineage_method="persist", register_udfs_automatically=False
        )
        linker = Linker(api.register(_handed(db, spark, folder, "people", _PEOPLE)), stated(known, SPOKEN))
        for column in COUNTED:
            table = _handed(db, spark, folder, write_frequencies(db, column, known), "*")
            linker.table_management.register_term_frequency_lookup(api.register(table), column)
        predicted = linker.inference.predict(threshold_match_weight=least(known)).as_spark_dataframe()
        shown = ("record_id_l", "record_id_r", "match_weight", *(f"mw_{feature}" for feature in FEATURES))
        predicted.select(*shown).write.parquet(str(folder / "edges"))
    db.read_parquet(str(folder / "edges" / "*.parquet")).create("predicted")
    return "predicted", write_shared(db)


_PEOPLE: Final = "* exclude (number, candidate_id, spelled) replace (keys::varchar[] as keys)"
"""Spark knows neither ids of DuckDB's kind nor unsigned numbers, and asks Python about all names."""


def _handed(db: duckdb.DuckDBPyConnection, spark: SparkSession, folder: Path, table: str, columns: str) -> Any:  # noqa: ANN401 (a frame of Spark)
    file = str(folder / f"{table}.parquet")
    db.sql(f"select {columns} from {table}").write_parquet(file)
    return spark.read.parquet(file)


@contextmanager
def _session(folder: Path) -> Iterator[SparkSession]:
    """Start Spark on this machine, with its files in the folder, and end it."""
    stated = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "4g",
        "spark.local.dir": str(folder),
        "spark.log.level": "ERROR",
        "spark.sql.execution.pythonUDF.arrow.enabled": "false",
        "spark.sql.shuffle.partitions": str(4 * THREADS),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master(f"local[{THREADS}]").appName("talentpool sweep")
    with ExitStack() as ending:
        ending.callback(_end_java)
        spark = builder.config(map=stated).getOrCreate()
        ending.callback(spark.stop)
        spark.sparkContext.pythonExec = sys.executable
        spark.udf.register("name_level_of", level_of, StringType())
        spark.udf.register("is_near_birth", _is_near, BooleanType())
        yield spark


def _end_java() -> None:
    """End Java, which Spark leaves running with all its memory as long as Python runs; it ends when its input does."""
    spark = SparkContext
    gateway, spark._gateway = spark._gateway, None  # noqa: SLF001 (Spark has no other name for it)
    spark._jvm = spark._active_spark_context = None  # noqa: SLF001 (the next sweep starts anew, also where Java died)
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.communicate()


def _is_near(left: str | None, right: str | None) -> bool:
    return birth_level(left, right).level == "near"
