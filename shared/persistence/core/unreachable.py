"""Why a database cannot be reached: the driver's words, as one sentence each with the way out."""

from __future__ import annotations

import psycopg
from sqlalchemy import URL, exc, make_url

_MODES = "disable, allow, prefer, require, verify-ca or verify-full"
# What libpq and PostgreSQL say, in English; the first that fits decides. {words} are theirs.
_CAUSES = (
    ("invalid sslmode value", "sslmode is {sslmode!r}, which takes " + _MODES),
    ("server does not support SSL", "the server offers no TLS, and sslmode={sslmode} demands it"),
    ("no encryption", "the server demands TLS: add sslmode=verify-full"),
    (
        "root certificate file",
        "there is no authority to check its certificate by: sslrootcert names its file",
    ),
    (
        "certificate verify failed",
        "its certificate is of an unknown authority: sslrootcert names the file of the right one",
    ),
    ("does not match host name", "its certificate is not for {host!r}: name the host that it is for"),
    ("password authentication failed", "it knows no user {user!r} with this password"),
    ("no password supplied", "it asks for a password, and none is named for {user!r}"),
    ('role "', "it knows no user {user!r}"),
    ('database "', "it has no database {database!r}"),
    ("failed to resolve host", "no host {host!r} is known"),
    ("could not translate host name", "no host {host!r} is known"),
    ("Connection refused", "nothing listens at {host!r} port {port}: is it running?"),
    ("No such file or directory", "there is no socket in {host!r}: is it running?"),
    (
        "timeout",
        "{host!r} port {port} does not answer: is it the right one, and no firewall between?",
    ),
    ("invalid URI query parameter", "it takes no parameter of that name ({words})"),
)


def why_unreachable(url: str, limit_seconds: int, name: str = "DATABASE_URL") -> str:
    """Try to connect once, and say in a sentence why it does not work; it names no password.

    ``""`` when it does work by now. ``name`` is the variable that ``url`` comes from.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        return f"{name} is no URL such as postgresql://user:password@host/database."
    plain = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        psycopg.connect(plain, connect_timeout=limit_seconds).close()
    except psycopg.Error as error:
        sentence = f"The database of {name} cannot be reached: {_cause(str(error), parsed)}"
        return sentence if sentence.endswith("?") else f"{sentence}."
    return ""


def _cause(words: str, url: URL) -> str:
    query = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    known = {
        "host": query.get("host", url.host or ""),
        "port": url.port or query.get("port", 5432),
        "user": url.username,
        "database": url.database,
        "sslmode": query.get("sslmode", ""),
        "words": words.strip(),
    }
    for said, told in _CAUSES:
        if said in words:
            return told.format(**known)
    return words.strip().splitlines()[0].rpartition("FATAL:  ")[2]
