"""500 pipelines of ten stages, rendered for both servers, beside jenkins-job-builder rendering 500 pipeline jobs.

    .venv/bin/python benchmarks/render.py [RUNS]

Ours starts from 500 `pipegen.yaml` and leaves 500 Jenkinsfiles, GoCD configurations and `dvc.yaml` on disk. Theirs,
`jenkins-jobs test -o`, starts from one YAML file of 500 jobs, which hold the Jenkinsfiles that ours made, and leaves
500 `config.xml`. jenkins-job-builder is installed in an environment of its own below `.cache`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
from pathlib import Path

from descriptions import description, fan, write
from measure import BIN, cost, medians, tool, verdict

PIPELINES = 500
JOB = """\
- job:
    name: {name}
    project-type: pipeline
    description: The pipeline {name}.
    sandbox: true
    properties:
      - build-discarder: {{num-to-keep: 50}}
    dsl: |
"""


def main(runs: int) -> int:
    """Measure, print, and return 1 if the limit is passed."""
    jenkins_jobs = tool("jenkins-jobs", "jenkins-job-builder", "setuptools<80")  # it needs pkg_resources
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = folder / "pipegen", folder / "jobs.yaml"
        for number in range(PIPELINES):
            write(ours / f"p{number:03}", description(f"p{number:03}", fan(4)))
        generate = [str(BIN / "pipegen"), "generate", "--all", "--force", str(ours)]
        cost(generate)
        theirs.write_text("".join(job(path) for path in sorted(ours.glob("*/Jenkinsfile"))))
        configuration = folder / "jenkins_jobs.ini"
        configuration.write_text("[jenkins]\nurl=http://localhost\nquery_plugins_info=False\n")
        test = [
            str(jenkins_jobs),
            "--conf",
            str(configuration),
            "test",
            str(theirs),
            "-o",
            str(folder / "xml"),
        ]
        # each run writes everything anew: over what is there, ours would find it unchanged and write nothing
        fresh = ["sh", "-c", 'find "$1" -type f ! -name pipegen.yaml -delete; shift; exec "$@"', "sh"]
        measured = medians(
            {"pipegen": [*fresh, str(ours), *generate], "jenkins-jobs": [*fresh, str(folder / "xml"), *test]},
            runs,
        )
        written = {
            suffix: len(list(ours.glob(f"*/{suffix}")))
            for suffix in ("Jenkinsfile", "*.gocd.yaml", "dvc.yaml")
        }
        print(f"      pipegen wrote {written}, jenkins-jobs {len(list((folder / 'xml').iterdir()))} files")
    for side, seconds in measured.items():
        print(f"      {side}: {seconds.wall:.2f} s by the clock, {seconds.cpu:.2f} s CPU, median of {runs}")
    what = f"{PIPELINES} pipelines on {os.cpu_count()} cores, by the clock"
    return 0 if verdict(what, measured["pipegen"].wall, measured["jenkins-jobs"].wall, "jenkins-jobs") else 1


def job(jenkinsfile: Path) -> str:
    """The job of one pipeline, for jenkins-job-builder, in whose texts braces are doubled."""
    text = jenkinsfile.read_text().replace("{", "{{").replace("}", "}}")
    return JOB.format(name=jenkinsfile.parent.name) + textwrap.indent(text, "      ")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
