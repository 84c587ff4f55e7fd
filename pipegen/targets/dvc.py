"""`dvc.yaml` from inline stages. Stages that stand in `dvc.yaml` files already stay there, untouched."""

from __future__ import annotations

from pipegen.description.dumper import dump
from pipegen.description.stage_words import StagesFrom
from pipegen.description.stages import DVC_FILE, dvc_data
from pipegen.targets import Generated, GeneratedFile, Marker, Request, Target


class DVC(Target):
    """DVC's own pipeline file."""

    name = "dvc"

    def files(self, request: Request) -> Generated:
        """`dvc.yaml`, or nothing where the stages come from files."""
        if isinstance(request.pipeline.stages, StagesFrom):
            return Generated(())
        body = dump(request.dvc_data or dvc_data(request.pipeline))
        return Generated((GeneratedFile(DVC_FILE, Marker.header(body, "# {}")),))
