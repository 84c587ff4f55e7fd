"""Stage ``ingest``: the last months' sales as the land registry delivers them, slips of the pen included."""

from __future__ import annotations

from houses.files import params, write_table
from houses.market import sales_until


def main() -> None:
    table = sales_until(**params("ingest"))
    write_table(table, "data/raw.csv")
    print(f"{len(table)} sales from {table['date'].iloc[0]} to {table['date'].iloc[-1]}")


if __name__ == "__main__":
    main()
