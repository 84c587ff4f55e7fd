"""Values of YAML that DVC has accepted already: lock files, parameter files. Fast and lenient, unlike `yaml12`."""

from __future__ import annotations

from typing import Any

import yaml

from pipegen.dvc.yaml12 import Loader12, integer


class _Loader(Loader12):
    """Words resolve as in DVC; the values are plain Python."""


def _int(loader: Any, node: yaml.ScalarNode) -> int:
    return integer(str(loader.construct_scalar(node)).replace("_", ""))


_Loader.add_constructor("tag:yaml.org,2002:int", _int)


def load(text: str) -> Any:
    """The value of one YAML document, None for an empty one.

    Raises:
        yaml.YAMLError: not YAML, or it holds tags of its own.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
