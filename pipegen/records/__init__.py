"""Plain data about runs: what happens, what is kept of a stage and of gates, and how a run looks."""

from pipegen.records.events import (
    GOOD,
    Event,
    Notice,
    Outcome,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    as_json,
)
from pipegen.records.gates import GateCheck, GateResult, GateRun, Verdict
from pipegen.records.run_view import Approval, Counts, Link, Metric, RunView, StageView, State, together
from pipegen.records.showing import STATES, key_metrics, record_from_data, stage_view
from pipegen.records.stage import StageRecord

__all__ = [
    "GOOD",
    "STATES",
    "Approval",
    "Counts",
    "Event",
    "GateCheck",
    "GateResult",
    "GateRun",
    "Link",
    "Metric",
    "Notice",
    "Outcome",
    "RunFinished",
    "RunStarted",
    "RunView",
    "StageFinished",
    "StageRecord",
    "StageStarted",
    "StageView",
    "State",
    "Verdict",
    "as_json",
    "key_metrics",
    "record_from_data",
    "stage_view",
    "together",
]
