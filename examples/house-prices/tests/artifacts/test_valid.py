"""data/valid.csv: no record in it is in doubt."""

from houses.files import params, read_json, read_table
from houses.validate import MAX_AREA, reasons_to_reject


def test_every_record_is_usable():
    valid = read_table("data/valid.csv")
    assert set(reasons_to_reject(valid)) == {""}
    assert valid["area"].max() <= MAX_AREA


def test_counts_add_up():
    counts = read_json("metrics/validate.json")
    assert counts["valid"] == len(read_table("data/valid.csv"))
    assert counts["records"] == len(read_table("data/raw.csv"))
    assert counts["records"] == counts["valid"] + sum(counts["rejected"].values())


def test_few_records_were_rejected():
    counts = read_json("metrics/validate.json")
    assert counts["valid"] >= (1 - params("validate")["max_rejected"]) * counts["records"]
