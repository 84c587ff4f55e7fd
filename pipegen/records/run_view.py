"""How a run looks: the one picture of a run on Jenkins, on GoCD or on this machine.

The servers' clients and the local run fill it; `status`, `watch`, `view` and their JSON are drawn from it alone.

What servers say becomes a `State`:

=========  ==============================  =====================================  ======================
State      Jenkins (wfapi, build result)   GoCD (job state, result)               here
=========  ==============================  =====================================  ======================
waiting    not there yet                   Unscheduled, Unknown                   a need isn't through
queued     in the queue                    Scheduled, Assigned                    --
running    IN_PROGRESS                     Preparing, Building, Completing        its command runs
approval   PAUSED_PENDING_INPUT            a manual stage that could start        --
passed     SUCCESS                         Completed, Passed                      ran, restored, …
warned     UNSTABLE                        --                                     --
failed     FAILED, FAILURE                 Completed, Failed                      failed
cancelled  ABORTED                         Completed, Cancelled                   stopped
skipped    NOT_EXECUTED, NOT_BUILT         never scheduled in a run that is over  skipped
=========  ==============================  =====================================  ======================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Literal, TypeVar, get_args

from pipegen.records.events import Outcome

State = Literal[
    "waiting", "queued", "running", "approval", "passed", "warned", "failed", "cancelled", "skipped"
]
"""How a stage or a run stands.

`waiting`: something before it isn't through. `queued`: it could begin and waits for an agent. `approval`: it waits
for a person. `warned`: through, but a test or a soft gate is red. `cancelled`: stopped by a person or a time-out.
`skipped`: it was not to run, or the run ended before.
"""

OVER: frozenset[State] = frozenset(("passed", "warned", "failed", "cancelled", "skipped"))
"""States that a stage or run doesn't leave by itself."""

_LOUDEST: tuple[State, ...] = (
    "failed", "cancelled", "approval", "running", "queued", "waiting", "warned", "passed", "skipped",
)  # fmt: skip

FORMAT = 1
"""Of the JSON form; raised where a reader of the old one would go wrong."""


def together(states: Iterable[State]) -> State:
    """The state of many as of one: the one to look at first; something that goes on comes before `passed`."""
    return min(states, key=_LOUDEST.index, default="waiting")


@dataclass(frozen=True)
class Link:
    """Where more is to be seen."""

    label: str
    """What is there: `log`, `artifacts`, `tests` …"""
    url: str
    """`https://…`, or a path relative to the description's folder."""


@dataclass(frozen=True)
class Metric:
    """One number or word that a stage measured."""

    name: str
    value: float | int | str | bool | None


@dataclass(frozen=True)
class Counts:
    """How many tests of a stage there are."""

    total: int
    failed: int = 0
    """Failures and errors."""
    skipped: int = 0


@dataclass(frozen=True)
class Approval:
    """A person must agree before the run goes on."""

    by: str = ""
    """Who may: a name in `people`, or what the server says."""
    message: str = ""
    url: str = ""
    """Where to answer."""
    since: str = ""
    """ISO 8601, UTC."""


@dataclass(frozen=True, kw_only=True)
class StageView:
    """One stage of the picture, or a job that is no stage (`gates`, `report`, an approval)."""

    name: str
    """The stage's address, or what the server shows."""
    state: State = "waiting"
    needs: tuple[str, ...] = ()
    """Names of stages of this picture that come before it; others are passed over."""
    group: str = ""
    """The foreach or matrix that it is an item of."""
    job: str = ""
    """The server's job that it runs in."""
    outcome: Outcome | None = None
    """Ran, restored, unchanged …; None as long as it isn't known."""
    started: str = ""
    """ISO 8601, UTC."""
    seconds: float | None = None
    """What it took, or for what runs, how long by `RunView.taken`."""
    expected: float | None = None
    """Seconds that it took before."""
    agent: str = ""
    attempts: int = 0
    message: str = ""
    """What went wrong, or what it waits for."""
    reasons: tuple[str, ...] = ()
    """Why it was not up to date."""
    tests: Counts | None = None
    metrics: tuple[Metric, ...] = ()
    links: tuple[Link, ...] = ()
    tail: tuple[str, ...] = ()
    """The last lines of its log, where it failed."""


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One run as people see it."""

    pipeline: str
    workflow: str = ""
    server: str = ""
    """`jenkins`, `gocd` …; `local` for this machine."""
    number: str = ""
    """What the server calls the run: `12`, `12/1`."""
    url: str = ""
    state: State = "waiting"
    taken: str = ""
    """When this picture was taken: ISO 8601, UTC; so are all times."""
    started: str = ""
    seconds: float | None = None
    expected: float | None = None
    """Seconds that it takes as a whole, by earlier runs."""
    commit: str = ""
    branch: str = ""
    cause: str = ""
    """Who or what started it."""
    message: str = ""
    """What concerns the whole run: what it waits for, why it ended."""
    approval: Approval | None = None
    """What it waits for now, if it is a person."""
    stages: tuple[StageView, ...] = ()
    """In an order in which they could run."""
    links: tuple[Link, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in OVER

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON; `from_data` reads it."""
        return {"run_view": FORMAT, **_lists(asdict(self))}

    @classmethod
    def from_data(cls, data: Any) -> RunView:
        """The picture that `as_data` gave. Fields that are absent are empty, unknown ones are passed over.

        Raises:
            ValueError: it is none; the message says what is wrong and where.
        """
        if not isinstance(data, Mapping) or "run_view" not in data:
            raise ValueError("this is no picture of a run")
        if data["run_view"] != FORMAT:
            raise ValueError(f"a picture of format {data['run_view']!r}; this version reads {FORMAT}")
        stages = tuple(
            _read(
                StageView,
                stage,
                f"stages[{index}]",
                tests=_maybe(Counts, stage, "tests"),
                metrics=_many(Metric, stage, "metrics"),
                links=_many(Link, stage, "links"),
            )
            for index, stage in enumerate(_list(data, "stages"))
        )
        return _read(
            cls,
            data,
            "the run",
            approval=_maybe(Approval, data, "approval"),
            links=_many(Link, data, "links"),
            stages=stages,
        )


# ---------------------------------------------------------------------------------------------- reading

_Any = TypeVar("_Any")
_TEXTS, _NUMBERS = {"str"}, {"float", "int", "float | None"}


def _lists(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: _lists(each) for key, each in value.items()}
    return [_lists(each) for each in value] if isinstance(value, (list, tuple)) else value


def _list(data: Any, key: str) -> list[Any]:
    found = data.get(key, []) if isinstance(data, Mapping) else []
    if not isinstance(found, list):
        raise ValueError(f"{key} is no list")
    return found


def _many(kind: type[_Any], data: Any, key: str) -> tuple[_Any, ...]:
    return tuple(_read(kind, each, f"{key}[{index}]") for index, each in enumerate(_list(data, key)))


def _maybe(kind: type[_Any], data: Any, key: str) -> _Any | None:
    found = data.get(key) if isinstance(data, Mapping) else None
    return None if found is None else _read(kind, found, key)


def _read(kind: type[_Any], data: Any, place: str, **inner: Any) -> _Any:
    """One dataclass from a mapping; `inner` are the fields that were read already."""
    if not isinstance(data, Mapping):
        raise ValueError(f"{place} is no object")
    found = dict(inner)
    for each in fields(kind):  # type: ignore[arg-type]
        if each.name in inner:
            continue
        if each.name in data:
            found[each.name] = _value(str(each.type), data[each.name], f"{place}.{each.name}")
        elif each.default is MISSING:
            raise ValueError(f"{place} has no {each.name}")
    return kind(**found)


def _value(kind: str, value: Any, place: str) -> Any:
    """A plain value of the type that its field declares."""
    if kind == "tuple[str, ...]":
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
    elif kind in ("State", "Outcome | None"):
        allowed: tuple[Any, ...] = get_args(State) if kind == "State" else (None, *get_args(Outcome))
        if value in allowed:
            return value
        raise ValueError(f"{place} is {value!r}, none of {', '.join(map(str, allowed))}")
    elif kind in _NUMBERS:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number or (value is None and "None" in kind):
            return value
    elif kind in _TEXTS:
        if isinstance(value, str):
            return value
    elif value is None or isinstance(value, (str, int, float)):
        return value
    raise ValueError(f"{place} is {value!r}, not {kind}")
