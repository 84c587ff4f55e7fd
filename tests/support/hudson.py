"""Eclipse Hudson, which Jenkins was forked from: a real CI server with the remote API that both share.

It comes from Maven Central and runs on today's Java with a small launcher: its own `main` reads `java.version` as if it
were 1.x, and its XStream wants to see Sun's virtual machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.jars import hudson_war

_LAUNCHER = """\
public class Launch {
  public static void main(String[] words) throws Exception {
    System.setProperty("java.version", "1.8.0_17");
    System.setProperty("java.vm.vendor", "Oracle Corporation");
    Class.forName("org.eclipse.hudson.war.Executable").getMethod("main", String[].class).invoke(null, (Object) words);
  }
}
"""
_CONFIG = """\
<hudson><version>1.0</version><numExecutors>2</numExecutors><mode>NORMAL</mode><quietPeriod>0</quietPeriod>
<slaveAgentPort>-1</slaveAgentPort>
<crumbIssuer class="hudson.security.csrf.DefaultCrumbIssuer">
<excludeClientIPFromCrumb>true</excludeClientIPFromCrumb></crumbIssuer></hudson>
"""
_OPENED = (
    *(f"java.base/java.{name}" for name in ("lang", "util", "text", "io", "net", "nio", "lang.reflect")),
    *(f"java.base/java.util.{name}" for name in ("concurrent", "concurrent.atomic", "concurrent.locks")),
    *("java.base/java.util.zip", "java.base/java.util.regex", "java.base/sun.nio.ch"),
    *("java.base/sun.security.x509", "java.desktop/java.awt.font", "java.desktop/javax.swing"),
)
_START_SECONDS = 120


@contextmanager
def hudson(home: Path) -> Iterator[str]:
    """A server of its own on this machine, with two executors and crumbs; gives its address.

    Raises JavaMissing where there is no Java or Maven.
    """
    war = hudson_war()
    home.mkdir(parents=True)
    (home / "config.xml").write_text(_CONFIG)
    source = home / "Launch.java"
    source.write_text(_LAUNCHER)
    subprocess.run(["javac", "-d", home, source], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED]
    command = [
        *("java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"),
        *("-Dhudson.udp=0", "-Dhudson.DNSMultiCast.disabled=true", *opened),
        *("-cp", f"{home}:{war}", "Launch", f"--httpPort={port}", "--httpListenAddress=127.0.0.1"),
        "--skipInitSetup",
    ]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env=_environment(home), stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url, process, home / "log")
        yield url
    finally:
        process.kill()
        process.wait()


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HUDSON_HOME": str(home)}


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/json", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise RuntimeError(f"Hudson did not start within {_START_SECONDS} s:\n{log.read_text()[-3000:]}")
