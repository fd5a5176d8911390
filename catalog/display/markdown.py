"""Documentation written in Markdown (CommonMark), as HTML that is safe to show.

HTML in the text is shown as text. Links leave with rel=nofollow noopener, and only to http, https, mailto or this
console. Pictures become links: pages load nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

LONGEST = 50_000
# The page's own headings are h1 and h2.
FIRST_HEADING = 3


def markdown(text: str) -> SafeString:
    """The HTML of `text`, of which at most 50,000 characters are read."""
    return mark_safe(_reader.render(text[:LONGEST]))


def _is_link(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in ("", "http", "https", "mailto")
    except ValueError:
        return False


def _link(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    tokens[at].attrSet("rel", "nofollow noopener")
    tokens[at].attrJoin("class", "link")
    return renderer.renderToken(tokens, at, options, env)


def _picture(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    token = tokens[at]
    words = renderer.renderInlineAsText(token.children or [], options, env) or str(token.attrGet("src") or "")
    opened = Token("link_open", "a", 1, attrs={"href": token.attrGet("src") or ""})
    text = Token("text", "", 0, content=words)
    return renderer.render([_inline(opened, text, Token("link_close", "a", -1))], options, env)


def _inline(*children: Token) -> Token:
    return Token("inline", "", 0, children=list(children))


def _heading(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    token = tokens[at]
    token.tag = f"h{min(int(token.tag[1:]) + FIRST_HEADING - 1, 6)}"
    return renderer.renderToken(tokens, at, options, env)


def _made() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False})
    made.validateLink = _is_link  # type: ignore[method-assign]
    made.add_render_rule("link_open", _link)
    made.add_render_rule("image", _picture)
    made.add_render_rule("heading_open", _heading)
    made.add_render_rule("heading_close", _heading)
    return made


_reader = _made()
