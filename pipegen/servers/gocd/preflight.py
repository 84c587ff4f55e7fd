"""The server's own check of configuration files, which changes nothing.

It knows the whole configuration: names that are taken, roles, profiles. It does not know the rules of a config
repository, secret configs, or keys that it passes over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from pipegen.errors import AccessRefused, NotOnServer
from pipegen.servers.gocd.api import Api, words

PLUGIN = "yaml.config.plugin"
SUFFIXES = (".gocd.yaml", ".gocd.yml")
_TAKEN = re.compile(r"multiple pipelines (?:named|called) '([^']+)'")


def reasons(
    api: Api, files: Mapping[str, str], *, repository: str | None = None, names: Collection[str] = ()
) -> Sequence[str]:
    """What is wrong with configuration files, a text each; none where they are right or can't be checked.

    Args:
        api: the server.
        files: by path; those that are none of the plugin's are passed over.
        repository: the config repository that they are from, if it exists: its pipelines are replaced by these.
        names: pipelines, in lower case, that the server has already from elsewhere and which are no clash.
    """
    parts = [
        ("files[]", (name.rsplit("/", 1)[-1], text.encode(), "application/octet-stream"))
        for name, text in files.items()
        if name.endswith(SUFFIXES)
    ]
    if not parts:
        return ()
    params = {"pluginId": PLUGIN, **({"repoId": repository} if repository else {})}
    try:
        answer = api.send(
            "POST",
            "/api/admin/config_repo_ops/preflight",
            1,
            files=parts,
            params=params,
            accepting=(422,),
            idempotent=True,
        )
    except (AccessRefused, NotOnServer):
        return ()
    if answer.status_code == 422:
        return (words(answer),)
    found = api.http.decoded(answer)
    return [_one_line(error) for error in found["errors"] if not _is_taken(error, names)]


def _is_taken(error: str, names: Collection[str]) -> bool:
    found = _TAKEN.search(error)
    return found is not None and found[1].lower() in names


def _one_line(error: str) -> str:
    """The plugin puts the place on a line of its own and each mistake below it."""
    return re.sub(r":?\s*\n\s*-?\s*", ": ", error.strip())
