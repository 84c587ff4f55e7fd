"""Stage ``validate``: records that can't be true are put aside and counted; too many stop the pipeline."""

from __future__ import annotations

import pandas as pd

from houses.files import params, read_table, write_json, write_table

MAX_AREA = 400.0  # m²


def reasons_to_reject(raw: pd.DataFrame) -> pd.Series:
    """For each record why it can't be used, or an empty text."""
    reasons = pd.Series("", index=raw.index)
    reasons[raw.isna().any(axis="columns")] = "incomplete"
    reasons[(reasons == "") & ~raw["area"].between(10, MAX_AREA)] = "impossible area"
    reasons[(reasons == "") & (raw["price"] <= 0)] = "impossible price"
    reasons[(reasons == "") & raw["sale_id"].duplicated()] = "entered twice"
    return reasons


def main() -> None:
    raw = read_table("data/raw.csv")
    reasons = reasons_to_reject(raw)
    valid = raw[reasons == ""]
    rejected = 1 - len(valid) / len(raw)
    limit = params("validate")["max_rejected"]
    if rejected > limit:
        raise SystemExit(f"{rejected:.1%} of {len(raw)} records are unusable, at most {limit:.1%} may be")
    write_table(valid, "data/valid.csv")
    counts = {reason: int(count) for reason, count in reasons[reasons != ""].value_counts().items()}
    write_json({"records": len(raw), "valid": len(valid), "rejected": counts}, "metrics/validate.json")
    print(f"{len(valid)} of {len(raw)} records are usable")


if __name__ == "__main__":
    main()
