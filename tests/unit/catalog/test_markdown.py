"""Documentation in Markdown: what it may hold and what it may not do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.display.markdown import markdown

CASES = [
    ("# Why", "<h3>Why</h3>"),
    ("###### Deep", "<h6>Deep</h6>"),
    ("**b** *i* `c`", "<strong>b</strong> <em>i</em> <code>c</code>"),
    ("- one\n- two", "<li>one</li>"),
    ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ("a <b>c</b>", "a &lt;b&gt;c&lt;/b&gt;"),
    ("[x](https://a.b/?c=1&d)", 'href="https://a.b/?c=1&amp;d" rel="nofollow noopener" class="link">x</a>'),
    ("[x](/events/order.placed/)", 'href="/events/order.placed/" rel="nofollow noopener"'),
    ("<https://a.b>", 'href="https://a.b" rel="nofollow noopener"'),
    ('![a "b" <c>](https://a.b/p.png)', ">a &quot;b&quot; &lt;c&gt;</a>"),
]


@pytest.mark.parametrize(("text", "html"), CASES)
def test_markdown_becomes_html_that_says_the_same(text, html):
    assert html in markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JavaScript:alert(1))",
        "[x](data:text/html,hi)",
        "![x](data:image/png;base64,AA)",
        "[x](vbscript:a)",
        "[x](file:///etc/passwd)",
    ],
)
def test_a_link_leads_only_where_a_page_may_lead(text):
    assert "<a " not in markdown(text)


@given(st.text(alphabet="<>&\"'()[]!#*_`-: ahrefscriptonload=/\n\\", max_size=80))
def test_no_text_makes_any_other_element_or_a_handler(text):
    import re

    html = str(markdown(text))
    allowed = {
        "p",
        "h3",
        "h4",
        "h5",
        "h6",
        "em",
        "strong",
        "code",
        "pre",
        "ul",
        "ol",
        "li",
        "a",
        "hr",
        "br",
        "blockquote",
    }
    assert set(re.findall(r"</?([a-z0-9]+)", html)) <= allowed
    for attributes in re.findall(r"<[a-z0-9]+([^>]*)>", html):
        assert set(re.findall(r'([a-z-]+)="', re.sub(r'="[^"]*"', '="', attributes))) <= {
            "href",
            "rel",
            "class",
            "title",
            "start",
        }


def test_only_the_beginning_of_an_endless_text_is_read():
    assert len(markdown("a " * 100_000)) < 60_000
