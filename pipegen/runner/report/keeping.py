"""What was reported, kept for the next report to compare with: here, and on the remote under `pipegen/reports/`."""

from __future__ import annotations

import math
from typing import Any

from pipegen.records.report import Reported
from pipegen.runner.kept_results import KeptResults


class KeptReports(KeptResults[Reported]):
    """What is known of earlier reports."""

    kind = "reports"

    def read(self, data: Any) -> Reported:
        """See `KeptResults`."""
        found = Reported(**data)
        values = {name: float(value) for name, value in found.values.items()}
        if not (isinstance(found.entries, dict) and all(isinstance(e, dict) for e in found.entries.values())):
            raise ValueError("this is no report")
        return Reported(
            **{**data, "values": {name: value for name, value in values.items() if math.isfinite(value)}}
        )
