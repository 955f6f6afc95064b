"""What a browser is shown: who one wants to be, and the form that Apple has it send back."""

from collections.abc import Mapping
from html import escape

from local.openid.logins import Fault

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>{title}</title><body style="font-family: sans-serif; max-width: 30em; margin: 3em auto">
{body}</body></html>"""


def login_page(provider: str, asked: Mapping[str, str]) -> str:
    """Where anybody may be anybody."""
    faults = "".join(f"<option>{fault}</option>" for fault in Fault)
    body = f"""<h1>{escape(provider.title())}, but not really</h1>
<form>{_hidden(asked)}
<p><label>Address <input name="as" type="email" value="customer@example.com"></label>
<p><label>Name <input name="first_name" value="Casey"></label> <input name="last_name">
<p><label><input type="checkbox" name="verified" value="1" checked> The address is verified</label>
<p><label>What goes wrong <select name="fault">{faults}</select></label>
<p><button>Log in</button></form>"""
    return _PAGE.format(title=escape(provider), body=body)


def form_page(action: str, answer: Mapping[str, str]) -> str:
    """A form that sends itself."""
    body = f"""<form method="post" action="{escape(action)}">{_hidden(answer)}
<noscript><button>Go on</button></noscript></form>
<script>document.forms[0].submit()</script>"""
    return _PAGE.format(title="Going on", body=body)


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
