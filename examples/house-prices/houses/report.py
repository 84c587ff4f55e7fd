"""Stage ``report``: one page for people, two pictures. ``python -m houses.report lasso forest boosting``"""

from __future__ import annotations

import sys
from html import escape
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from houses.files import params, read_json, read_table, write_text

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>House prices, {month}</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto }}
td, th {{ padding: .2em 1em; text-align: right }}
td:first-child, th:first-child {{ text-align: left }}</style>
<h1>House prices, sales until {month}</h1>
<p>Best of {count}: <b>{best}</b>. It explains {r2:.1%} of the differences in price between {sales} sales
that it had not seen, and is off by {mae:,.0f} EUR on average. {valid} of {records} records were usable.</p>
<h2>Models</h2>
{models}
<h2>By postcode</h2>
{zips}
<p><img src="by_zip.png" alt="Error by postcode">
<img src="predicted.png" alt="Predicted and real prices"></p>
</html>
"""
COLUMNS = {"sales": "Sales", "rmse": "RMSE, EUR", "mae": "MAE, EUR", "bias": "Bias, EUR", "r2": "R²"}


def html_table(name: str, rows: dict[str, dict[str, Any]]) -> str:
    """One line per entry of ``rows``, headed ``name``."""
    head = "".join(f"<th>{title}</th>" for title in [name, *COLUMNS.values()])
    lines = [f"<tr>{head}</tr>"]
    for row, values in rows.items():
        cells = "".join(f"<td>{_number(values[key])}</td>" for key in COLUMNS)
        lines.append(f"<tr><td>{escape(row)}</td>{cells}</tr>")
    return "\n".join(["<table>", *lines, "</table>"])


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1 else f"{value:,.0f}"


def draw_errors_by_zip(by_zip: dict[str, dict[str, float]]) -> Figure:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    axes.bar(list(by_zip), [values["rmse"] / 1000 for values in by_zip.values()], color="#4c78a8")
    axes.set(title="Error by postcode", ylabel="RMSE, 1000 EUR")
    return figure


def draw_predictions(predictions: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    price, predicted = predictions["price"] / 1000, predictions["predicted"] / 1000
    axes.scatter(price, predicted, s=4, alpha=0.5, color="#4c78a8", linewidths=0)
    axes.axline((0, 0), slope=1, color="#888888", linewidth=0.8)
    axes.set(title="Predicted and real prices", xlabel="Price, 1000 EUR", ylabel="Predicted, 1000 EUR")
    return figure


def save(figure: Figure, path: str) -> None:
    # Without the library's version in it, the same picture is the same file.
    figure.savefig(path, dpi=90, metadata={"Software": None})


def main(kinds: list[str]) -> None:
    best, by_zip, checked = (read_json(f"metrics/{name}.json") for name in ("best", "by_zip", "validate"))
    results = {kind: read_json(f"metrics/test/{kind}.json") for kind in kinds}
    page = PAGE.format(
        month=escape(params("ingest")["month"]),
        count=len(kinds),
        best=escape(best["model"]),
        r2=best["r2"],
        sales=best["sales"],
        mae=best["mae"],
        valid=checked["valid"],
        records=checked["records"],
        models=html_table("Model", results),
        zips=html_table("Postcode", by_zip),
    )
    write_text(page, "report/index.html")
    save(draw_errors_by_zip(by_zip), "report/by_zip.png")
    save(draw_predictions(read_table("plots/predictions.csv")), "report/predicted.png")
    print("report/index.html")


if __name__ == "__main__":
    main(sys.argv[1:])
