"""report/: a page that says what the metrics say, and pictures that open."""

import re
from pathlib import Path

from matplotlib.image import imread

from houses.files import params, read_json


def test_page_names_month_model_and_every_postcode():
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert params("ingest")["month"] in page
    assert f"<b>{read_json('metrics/best.json')['model']}</b>" in page
    assert all(f"<td>{zip_}</td>" in page for zip_ in read_json("metrics/by_zip.json"))


def test_pictures_of_the_page_exist_and_show_something():
    page = Path("report/index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'src="([^"]+)"', page)
    assert len(pictures) == 2
    for picture in pictures:
        assert imread(Path("report") / picture).std() > 0
