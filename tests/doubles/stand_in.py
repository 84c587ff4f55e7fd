"""A stand-in for pipegen on an agent: it leaves the files that a job publishes, and no data.

A stage's fragment holds the stages whose fragments had reached it, so the last one tells the way of all. What a stage
does beside that stands in a file `behaviour/<name>` of the repository, a shell script.
"""

from __future__ import annotations

import os
from pathlib import Path

SCRIPT = """#!/bin/sh
work=.pipegen
mkdir -p $work/fragments $work/logs $work/records $work/junit $work/report
name=$(printf %s "$2" | tr @ .)
echo "pipegen $*"
case $1 in
exec)
    fragment=$work/fragments/$name.lock.json
    { cat $work/fragments/*.lock.json 2>/dev/null; echo "$name"; } | sort -u > $work/new
    mv $work/new "$fragment"
    echo "log" > "$work/logs/$name.log"
    echo "record" > "$work/records/$name.json"
    echo '<testsuite tests="1" failures="0"/>' > "$work/junit/$name.xml"
    case " $* " in *" --lock "*) mkdir -p $work/lock; echo "lock" > $work/lock/dvc.lock ;; esac
    if [ -f "behaviour/$name" ]; then . "./behaviour/$name"; fi ;;
affected) : > $work/left-out.txt; echo "{}" > $work/fragments/affected.json ;;
lock) mkdir -p $work/lock; echo "lock" > $work/lock/dvc.lock ;;
values) env | grep -E '^(alpha|ALPHA)=' > $work/fragments/values.json ;;
gate) echo '<testsuite tests="1" failures="0"/>' > $work/junit/gates.xml ;;
view) mkdir -p $work/view; echo '<p>page</p>' > $work/view/index.html ;;
report) echo '<p>report</p>' > $work/report/index.html; echo report > $work/report/report.txt ;;
esac
"""


def install(folder: Path) -> dict[str, str]:
    """Put it into a folder; the variables of a machine that has it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pipegen"
    file.write_text(SCRIPT, "utf-8")
    file.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
