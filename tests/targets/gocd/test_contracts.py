"""What is generated, held against what a real server took: its configuration schema, and its recorded answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.targets.gocd.making import definitions, description, request
from tests.targets.gocd.making import text as generated
from tests.targets.gocd.shapes import JSON
from tests.targets.gocd.test_files import MANUAL, PROMOTION, PUSH, RELEASE

CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "gocd"
pytestmark = [
    pytest.mark.contracts,
    pytest.mark.skipif(
        not CONTRACTS.is_dir(),
        reason="the recordings of real servers (../shared/contracts/gocd) are not here",
    ),
]


def full(layout: str = "levels") -> dict[str, Any]:
    """A description with all that becomes a word of GoCD."""
    stages = {
        "a": {
            "cmd": "a",
            "outs": ["a.txt"],
            "ci": {"agent": "linux", "mutex": ["m"], "tests": ["pytest"], "secrets": ["s3"]},
        },
        "b": {
            "foreach": ["x", "y"],
            "do": {"cmd": "b", "deps": ["a.txt"], "outs": ["${item}"], "ci": {"env": {"N": "#1"}}},
        },
        "c": {"cmd": "c", "deps": ["x", "y"], "outs": ["c.txt"], "ci": {"agent": "gpu"}},
    }
    workflows = {
        "push": {**PUSH, "gates": "all", "report": {}},
        "nightly": {
            "on": {"schedule": "H 6 * * 1-5"},
            "promote": {"model": "m", "to": "staging"},
            "set": {"k": "{date:%Y}"},
        },
        "try": {**MANUAL, "inputs": {"alpha": {"sets": "k", "default": 1}}},
        "release": RELEASE,
    }
    return description(
        **PROMOTION,
        install="pip install x # this one",
        targets={"gocd": {"layout": layout, "group": "g", "environment": "lab"}},
        agents={"linux": {"gocd": {"resources": ["linux"]}}, "gpu": {"gocd": {"elastic_profile": "gpu"}}},
        secrets={"s3": {"env": ["ID", "KEY"], "gocd": {"config": "vault", "keys": ["i", "k"]}}},
        gates={"good": {"metric": "m.json:x", "min": 1}},
        stages=stages,
        workflows=workflows,
    )


def recorded(number: str) -> JSON:
    """One recorded exchange."""
    (path,) = CONTRACTS.glob(f"{number}-*.json")
    found: JSON = json.loads(path.read_text("utf-8"))
    return found


@pytest.mark.parametrize("layout", ["levels", "pipelines"])
@pytest.mark.parametrize("folder", [".", "models/toy"])
def test_fits_the_schema_of_the_server(layout: str, folder: str) -> None:
    from lxml import etree

    from tests.targets.gocd.cruise import to_xml

    schema = etree.XMLSchema(etree.parse(CONTRACTS / "cruise-config.xsd"))
    tree = to_xml(definitions(request(full(layout), folder)))
    assert schema.validate(tree), schema.error_log


def test_the_schema_notices_a_wrong_path() -> None:
    from lxml import etree

    from tests.targets.gocd.cruise import to_xml

    entries = definitions(request(full()))
    fetch = next(
        t
        for s in entries[0]["pipeline"]["stages"]
        for j in s["jobs"]
        for t in j["tasks"]
        if t["type"] == "fetch"
    )
    fetch["attributes"]["source"] = ".pipegen/fragments/a.lock.json"
    assert not etree.XMLSchema(etree.parse(CONTRACTS / "cruise-config.xsd")).validate(to_xml(entries))


def shapes(value: Any, at: str = "") -> Iterator[str]:
    """Every key with the kinds of object it stands in: `stages.jobs.tasks.exec.command`."""
    if isinstance(value, dict):
        kind = f".{value['type']}" if isinstance(value.get("type"), str) and "attributes" in value else ""
        for key, content in value.items():
            yield f"{at}{kind}.{key}"
            yield from shapes(content, f"{at}{kind}.{key}")
    elif isinstance(value, list):
        for content in value:
            yield from shapes(content, at)


def accepted() -> set[str]:
    """The keys of every pipeline that the server took over its API, as sent and as it gave them back."""
    found: set[str] = set()
    for path in CONTRACTS.glob("*.json"):
        exchange = json.loads(path.read_text("utf-8"))
        sent, answer = exchange["request"]["body"], exchange["response"]["body"]
        if (
            exchange["response"]["status"] == 200
            and exchange["request"]["path"].startswith("/go/api/admin/pipelines")
            and isinstance(answer, dict)
        ):
            if "unknown-extra-keys" in path.name:
                continue
            found.update(shapes(answer))
            if isinstance(sent, dict):
                found.update(shapes(sent.get("pipeline", sent)))
    return found


@pytest.mark.parametrize("layout", ["levels", "pipelines"])
def test_api_sends_no_key_that_no_recording_shows(layout: str) -> None:
    sent = {shape for entry in definitions(request(full(layout))) for shape in shapes(entry["pipeline"])}
    # The one key without a recorded success; a recorded 422 shows that the server knows it.
    assert sent - accepted() <= {".stages.jobs.elastic_profile_id"}
    assert "elastic_profile_id" in json.dumps(recorded("141")["request"]["body"])


def yaml_shapes(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key, with `*` for names that a user chose."""
    chosen = {("pipelines",), ("environments",), ("common",)}
    if isinstance(value, dict):
        for key, content in value.items():
            last = path[-1:] if path else ()
            free = path in chosen or last in {
                ("materials",),
                ("stages",),
                ("jobs",),
                ("environment_variables",),
                ("tabs",),
            }
            here = (*path, "*" if free else str(key))
            yield here
            yield from yaml_shapes(content, here)
    elif isinstance(value, list):
        for content in value:
            yield from yaml_shapes(content, path)


def preflighted() -> set[tuple[str, ...]]:
    """The keys of every file that the YAML plugin took in a preflight, and of the server's own exports."""
    found: set[tuple[str, ...]] = set()
    for path in CONTRACTS.glob("*.json"):
        exchange = json.loads(path.read_text("utf-8"))
        sent, answer = exchange["request"]["body"], exchange["response"]["body"]
        if isinstance(answer, dict) and answer.get("valid") is True and "unknown" not in path.name:
            for text in re.findall(r"octet-stream\r\n\r\n(.*?)\r\n--", sent, re.DOTALL):
                if not text.startswith("{"):
                    found.update(yaml_shapes(yaml.safe_load(text)))
        if "export" in path.name and isinstance(answer, str):
            found.update(yaml_shapes(yaml.safe_load(answer)))
    return found


@pytest.mark.parametrize("layout", ["levels", "pipelines"])
def test_yaml_has_no_key_that_no_recording_shows(layout: str) -> None:
    data = full(layout)
    found = set(yaml_shapes(yaml.safe_load(generated(data, "models/toy"))))
    found = {
        shape for shape in found if shape[0] != "common"
    }  # its content is free, and is checked where it is used
    unknown = {shape[-1] for shape in found - preflighted()}
    # Words of the plugin's manual (README, format 10) that no recording happens to hold.
    assert unknown <= {"elastic_profile_id", "working_directory"}


def test_the_hash_rule_is_that_of_the_server() -> None:
    """The recorded server took `####` and `##{DIR}` and refused `#x`."""
    from tests.targets.gocd.shapes import Refused, single

    (argument,) = [
        a
        for a in recorded("111")["request"]["body"]["stages"][0]["jobs"][0]["tasks"][0]["attributes"][
            "arguments"
        ]
        if "#" in a
    ]
    assert "####" in argument
    assert recorded("111")["response"]["status"] == 200
    assert single("#### ##{DIR}") == "## #{DIR}"
    with pytest.raises(Refused):
        single("echo #x")
    assert recorded("090")["response"]["status"] == 422
