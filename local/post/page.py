"""The inbox, for people to look at."""

from collections.abc import Sequence
from html import escape

from local.post.box import Received

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Inbox</title>
<style>body {{ font: 1rem/1.5 sans-serif; max-width: 50rem; margin: 2rem auto }}
article {{ border-top: 1px solid #ccc }} pre {{ white-space: pre-wrap }}
iframe {{ width: 100%; height: 30rem; border: 1px solid #ccc }}</style>
<h1>Inbox</h1>
{letters}
</html>
"""
_LETTER = """<article><p><b>{to}</b> ({kind}, {at:%H:%M:%S} UTC{copies}) {subject}</p>
<pre>{words}</pre>{html}</article>"""
# Nothing in a mail may run, or call anybody.
_HTML = '<details><summary>HTML</summary><iframe sandbox="" srcdoc="{}"></iframe></details>'


def page(received: Sequence[Received]) -> str:
    """All that has arrived, as a page."""
    return _PAGE.format(letters="\n".join(map(_letter, received)) or "<p>Nothing yet.</p>")


def _letter(one: Received) -> str:
    return _LETTER.format(
        to=escape(one.to),
        kind=one.kind.replace("_", " "),
        at=one.at,
        copies=f", {one.copies} copies" if one.copies > 1 else "",
        subject=escape(one.subject),
        words=escape(one.words),
        html="" if one.html is None else _HTML.format(escape(one.html)),
    )
