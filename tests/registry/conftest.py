"""A shop with versions, made once and copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.registry.shop import Shop
from tests.support.repositories import make_template


@pytest.fixture(scope="session")
def _first_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """v0.0.1, then the better v0.1.0; v0.1.1 fails its verification, v0.1.2 its gate."""
    folder = tmp_path_factory.mktemp("registry")
    shop = Shop.found(folder / "shop", make_template(folder / "template"))
    assert shop.make() == "v0.0.1"
    assert shop.make("--bump", "minor", r2=0.9) == "v0.1.0"
    assert shop.make(r2=0.7, bad=1) == "v0.1.1"
    assert shop.make(r2=0.3) == "v0.1.2"
    return shop


@pytest.fixture
def shop(_first_shop: Shop, tmp_path: Path) -> Shop:
    """A test's own."""
    return _first_shop.copy(tmp_path / "shop")
