"""What went wrong between us and a server, in one line with the next step. The only place that words such messages."""

from __future__ import annotations

import os
import socket
from html import unescape
from re import search, sub
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from pipegen.errors import AccessRefused, ServerError, ServerUnavailable
from pipegen.servers.connection import Connection

if TYPE_CHECKING:
    from requests import Response


class Failure(NamedTuple):
    """No answer came."""

    message: str
    sent: bool
    """Whether the server may have looked at the request."""


def variable(connection: Connection, name: str) -> str:
    """What sets something of this server: `PIPEGEN_JENKINS_URL`."""
    return connection.settings.get(name) or f"PIPEGEN_{connection.server.upper()}_{name}"


def of_exception(error: Exception, title: str, connection: Connection) -> Failure | None:
    """What an exception of `requests` means; None for one that is no failure of the network. TLS, addresses and
    proxies that are wrong stay so: these are raised as errors at once.
    """
    from requests import exceptions

    host = urlsplit(connection.url).netloc
    if isinstance(error, exceptions.ProxyError):
        proxy = next((os.environ[n] for n in _PROXIES if os.environ.get(n)), "from the environment")
        raise ServerUnavailable(
            f"the proxy {_without_password(proxy)} does not lead to {host}: "
            f"mend HTTPS_PROXY or HTTP_PROXY, or set NO_PROXY={urlsplit(connection.url).hostname}"
        ) from None
    if isinstance(error, exceptions.SSLError) and (wrong := _tls(title, connection, error)):
        raise ServerUnavailable(wrong) from None
    if isinstance(error, exceptions.InvalidHeader):  # its own words hold the header
        raise ServerError(
            f"the credentials for {title} hold a sign that can't be sent, such as a line end"
        ) from None
    if isinstance(error, (exceptions.InvalidURL, exceptions.MissingSchema, exceptions.InvalidSchema)):
        message = (
            f"{connection.url!r} is no address of a server: set {variable(connection, 'URL')} to https://…"
        )
        raise ServerError(message) from None
    if isinstance(error, exceptions.ConnectTimeout):
        return Failure(f"{title} at {connection.url} can't be reached: nobody answers there", sent=False)
    if isinstance(error, exceptions.Timeout):
        return Failure(f"{title} at {connection.url} gave no answer in {connection.timeout:g} s", sent=True)
    if isinstance(error, exceptions.RequestException):  # cut off in the middle, or not as encoded as it says
        return _broken(title, connection, host, error)
    return None


_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def _broken(title: str, connection: Connection, host: str, error: Exception) -> Failure:
    cause: BaseException | None = error
    inner = [*_causes(error)]
    if any(isinstance(each, socket.gaierror) or "NameResolution" in type(each).__name__ for each in inner):
        raise ServerUnavailable(
            f"there is no host {urlsplit(connection.url).hostname!r}: check {variable(connection, 'URL')}"
        ) from cause
    if any(isinstance(each, ConnectionRefusedError) for each in inner):
        return Failure(f"{title} can't be reached: nothing listens at {host}", sent=False)
    if any("NewConnectionError" in type(each).__name__ for each in inner):
        return Failure(f"{title} can't be reached at {host}", sent=False)
    return Failure(f"the connection to {title} at {host} broke", sent=True)


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and all that it was made of; `requests` and urllib3 hide the cause in `args` and `reason`."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        each = todo.pop()
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            todo += [*each.args, each.__cause__, each.__context__, getattr(each, "reason", None)]
    return found


def _tls(title: str, connection: Connection, error: Exception) -> str:
    """What is wrong with TLS there; empty where it merely broke."""
    text = str(error)
    at = f"{title} at {connection.url}"
    if "WRONG_VERSION_NUMBER" in text or "record layer" in text:
        return f"{at} speaks no TLS there: is it http:// or another port?"
    if "doesn't match" in text or "Hostname mismatch" in text:
        return f"{at} shows a certificate for another name: use the name in it"
    if "expired" in text:
        return f"{at} shows a certificate that has expired: whoever runs the server must renew it"
    if "CERTIFICATE_VERIFY_FAILED" not in text:
        return ""  # the connection broke while they shook hands
    return (
        f"{at} shows a certificate that this machine does not trust: "
        f"name its authority's file in {variable(connection, 'CA')} or as `ca` in pipegen.toml"
    )


def _without_password(url: str) -> str:
    return sub(r"//[^/@]*@", "//", url)


def clean(said: str) -> str:
    """A server's words in one line, without what a terminal would obey."""
    return " ".join("".join(ch if ch.isprintable() else " " for ch in said).split())[:500]


def page_title(response: Response) -> str:
    """What a web page calls itself, or Jetty's error page says."""
    if "html" not in response.headers.get("Content-Type", ""):
        return ""
    found = search(r"<th>MESSAGE:</th><td>([^<]*)", response.text) or search(r"<title>([^<]*)", response.text)
    return clean(unescape(found[1])) if found else ""


def no_json(title: str, connection: Connection, response: Response) -> ServerError:
    """Something else than JSON came."""
    what = page_title(response) or response.headers.get("Content-Type") or "nothing"
    return ServerError(
        f"{connection.url} did not answer as {title} does ({what}): "
        f"check {variable(connection, 'URL')}; a login page or a proxy may stand before the server"
    )


def redirected(title: str, connection: Connection, response: Response) -> ServerError:
    """We are sent elsewhere."""
    there = response.headers.get("Location", "elsewhere").split("?")[0]
    return ServerError(
        f"{connection.url} sends us to {there}: set {variable(connection, 'URL')} to the address "
        f"of {title} itself, with its path; where a login page stands before it, use a token"
    )


def away(title: str, connection: Connection, response: Response, words: str) -> str:
    """It is out of order for now."""
    said = words or page_title(response)
    return f"{title} at {connection.url} is not ready: {response.status_code}{f' {said}' if said else ''}"


def unknown_user(title: str, connection: Connection) -> str:
    """401."""
    names = [variable(connection, name) for name in ("USER", "TOKEN", "PASSWORD")]
    if not connection.secret:
        return (
            f"{title} at {connection.url} wants credentials: set {' and '.join(names[:2])}, "
            "or put them into netrc or the keyring"
        )
    who = f"{connection.user!r} with this {connection.kind}" if connection.user else f"this {connection.kind}"
    return f"{title} at {connection.url} does not know {who}: check {', '.join(names)}, netrc and keyring"


def forbidden(title: str, connection: Connection, words: str) -> str:
    """403."""
    who = f"the user {connection.user!r}" if connection.user else "who asks"
    if not connection.secret:
        return unknown_user(title, connection)
    return f"{title} forbids it to {who}{f': {words}' if words else ''}; an administrator can grant it"


def absent(title: str, connection: Connection, response: Response, words: str) -> str:
    """404."""
    path = urlsplit(response.request.url or "").path
    return f"{title} has nothing at {path}{f': {words}' if words else ''}"


def refused(title: str, connection: Connection, response: Response, words: str) -> ServerError:
    """Any other 4xx or 5xx."""
    said = words or page_title(response) or response.reason or "no reason given"
    if response.status_code == 407:
        return AccessRefused(
            "the proxy wants credentials: put them into HTTPS_PROXY as http://USER:PASSWORD@HOST"
        )
    if response.status_code >= 500:
        message = f"{title} failed with {response.status_code}: {said}; its log says more"
        return ServerUnavailable(message)
    return ServerError(f"{title} refuses: {said} ({response.status_code})")
