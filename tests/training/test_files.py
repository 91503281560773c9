"""Files that are trained on and evaluated."""

from pathlib import Path

import duckdb

from app.training.files import read_files


def test_lists_of_parquet_are_read_as_several_values(tmp_path: Path) -> None:
    file = tmp_path / "people.parquet"
    duckdb.sql(
        f"""copy (select '佐藤' as family_name, '健' as given_name, 'one' as person,
            ['ken@example.com', 'sato@example.jp'] as email_addresses, []::varchar[] as phone_numbers)
            to '{file}' (format parquet)"""
    )
    with read_files([file], lambda name: name, "person") as source:
        side = source.corpus.side(0)  # type: ignore[attr-defined]  # candidates are read into a corpus
    assert side.emails == ("ken@example.com", "sato@example.jp")
    assert side.mobiles == ()
