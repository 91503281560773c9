"""Files that are trained on and evaluated."""

from pathlib import Path

import duckdb
import pytest

from app.kit.process import StartError
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


_PEOPLE = "full_name,birth_date,person\n髙橋 花子,1990-01-02,one\n高橋 花子,1990/1/2,one\n鈴木 健,unknown,two\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_csv_file_is_read_in_the_encoding_of_a_spreadsheet(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(_PEOPLE.replace("髙", "高").encode(encoding))
    with read_files([file], lambda name: name, "person") as source:
        assert source.truth.pairs == 1
        side = source.corpus.side(0)  # type: ignore[attr-defined]  # candidates are read into a corpus
        dates = [source.corpus.side(each).birth_date for each in range(3)]  # type: ignore[attr-defined]  # the same
    assert (side.name_kanji, dates) == ("高橋花子", ["1990-01-02", "1990-01-02", None])


@pytest.mark.parametrize(
    ("name", "held", "sentence"),
    [
        ("people.csv", None, "There is no file"),
        ("people.csv", b"", "is empty"),
        ("people.csv", b"full_name,person\n", "holds no records"),
        ("people.csv", bytes(range(256)), "is neither UTF-8, UTF-16 nor CP932"),
        ("people.csv", b"full_name,who\nA B,1\n", "has no column person, only: full_name, who"),
        ("people.csv", b"colour,person\nred,1\n", "No column says anything of a person"),
        ("people.parquet", b"PAR1xxxx", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(
    tmp_path: Path, name: str, held: bytes | None, sentence: str
) -> None:
    file = tmp_path / name
    if held is not None:
        file.write_bytes(held)
    with pytest.raises(StartError, match=sentence), read_files([file], lambda name: name, "person"):
        pass
