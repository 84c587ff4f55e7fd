"""Stage ``split``: sales to learn from, and sales to be judged by.

A sale's own number decides, so that it stays on its side for ever, whatever months come and go around it.
"""

from __future__ import annotations

import hashlib

import pandas as pd

from houses.files import params, read_table, write_table


def is_test(sale_ids: pd.Series, share: float, seed: int) -> pd.Series:
    """For each sale whether it belongs to the ``share`` (0 to 1) that is kept for the test."""

    def position(sale_id: str) -> float:
        digest = hashlib.sha256(f"{seed}:{sale_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    return sale_ids.map(position) < share


def main() -> None:
    settings = params("split")
    sales = read_table("data/valid.csv")
    test = is_test(sales["sale_id"], settings["test"], settings["seed"])
    write_table(sales[~test], "data/split/train.csv")
    write_table(sales[test], "data/split/test.csv")
    print(f"{int((~test).sum())} sales to train, {int(test.sum())} to test")


if __name__ == "__main__":
    main()
