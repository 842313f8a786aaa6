"""The page, written from the document."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from api.docs.reading import Document, groups, shapes

ASSETS: Final = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
"""What the page refers to, by name, with its media type."""

_CODE: Final = re.compile(r"`([^`]+)`")
_TOKEN: Final = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)"
)


def write_page(document: Document) -> str:
    """The whole page as HTML."""
    environment = Environment(
        loader=PackageLoader("api.docs"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    environment.filters["coloured"] = _coloured
    template = environment.get_template("page.html")
    return template.render(
        info=document["info"],
        schemes=document["components"]["securitySchemes"],
        groups=groups(document),
        shapes=shapes(document),
    )


def read_asset(name: str) -> bytes:
    """One of the assets, from the package itself."""
    return files("api.docs").joinpath("assets", name).read_bytes()


def _prose(text: str) -> Markup:
    """Text with `code` between backticks, escaped; a blank line begins a paragraph."""
    paragraphs = [_CODE.sub(r"<code>\1</code>", str(escape(part))) for part in text.strip().split("\n\n")]
    return Markup("</p><p>".join(paragraphs))  # noqa: S704 - each part was escaped above


def _coloured(text: str) -> Markup:
    """JSON, its tokens in elements that the style colours."""
    pieces, end = [], 0
    for found in _TOKEN.finditer(text):
        pieces.append(escape(text[end : found.start()]))
        pieces.append(Markup('<span class="{}">{}</span>').format(found.lastgroup, found[0]))
        end = found.end()
    return Markup("").join([*pieces, escape(text[end:])])
