"""The pages of the OAuth provider: signing in, authorizing an application, entering a device's code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from configurator.sandbox.gitlab.oauth_provider import SCOPES
from configurator.sandbox.server import Response

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1f1e24;--dim:#626168;--line:#89888d;--card:#fbfafd;--accent:#1f75cb;
--bad:#c91c00}
@media(prefers-color-scheme:dark){:root{--bg:#18171d;--fg:#ececef;--dim:#a4a3a8;--card:#1f1e24;--accent:#1f75cb;
--bad:#ec7b66}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:3rem auto;padding:1.5rem;border:1px solid var(--line);border-radius:8px;
background:var(--card)}h1{font-size:1.3rem;margin:0 0 1rem}label{display:block;margin:.75rem 0 .25rem}
input{font:inherit;width:100%;padding:.4rem .6rem;border:1px solid var(--line);border-radius:6px;
background:var(--bg);color:var(--fg)}.dim{color:var(--dim)}.bad{color:var(--bad)}
.buttons{display:flex;gap:.75rem;margin-top:1.25rem}button{font:inherit;padding:.4rem 1rem;border-radius:6px;
border:1px solid var(--line);background:var(--bg);color:var(--fg);cursor:pointer}
button.main{background:var(--accent);border-color:var(--accent);color:#fff}code{overflow-wrap:anywhere}
"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def sign_in(action: str, csrf: str, problem: str = "") -> Response:
    """The form that asks for user name and password."""
    body = f"""{_alert(problem)}<form method="post" action="{escape(action)}">{_hidden({"authenticity_token": csrf})}
<label for="user_login">Username or primary email</label>
<input id="user_login" name="user[login]" autocomplete="username" required autofocus>
<label for="user_password">Password</label>
<input id="user_password" name="user[password]" type="password" autocomplete="current-password" required>
<div class="buttons"><button class="main" data-testid="sign-in-button">Sign in</button></div></form>"""
    return _page("Sign in", body, 422 if problem else 200)


def authorize(
    action: str, application: str, username: str, scopes: Sequence[str], fields: Mapping[str, str]
) -> Response:
    """The question whether an application may act for the user.

    Args:
        fields: of the request, and the form's token; they come back with the answer.
    """
    body = f"""{_wish(application, username, scopes)}
<p class="dim">You will be taken to <code>{escape(fields["redirect_uri"])}</code></p>
<div class="buttons"><form method="post" action="{escape(action)}">{_hidden(fields)}
<button class="main" data-testid="authorization-button">Authorize</button></form>
<form method="post" action="{escape(action)}">{_hidden({**fields, "_method": "delete"})}
<button data-testid="deny-button">Deny</button></form></div>"""
    return _page(f"Authorize {application}?", body)


def device_code(action: str, csrf: str, user_code: str = "", problem: str = "") -> Response:
    """The form for the code that a device shows."""
    body = f"""{_alert(problem)}<form method="post" action="{escape(action)}">{_hidden({"authenticity_token": csrf})}
<label for="user_code">Code that your device shows</label>
<input id="user_code" name="user_code" value="{escape(user_code)}" autocomplete="off" required autofocus>
<div class="buttons"><button class="main" data-testid="continue-button">Continue</button></div></form>"""
    return _page("Connect a device", body, 422 if problem else 200)


def device_question(
    action: str, application: str, username: str, scopes: Sequence[str], fields: Mapping[str, str]
) -> Response:
    """The question whether a device may act for the user; arguments as for :func:`authorize`."""
    body = f"""{_wish(application, username, scopes)}
<p class="dim">Go on only if the code <code>{escape(fields["user_code"])}</code> is the one on your own device.</p>
<form method="post" action="{escape(action)}">{_hidden(fields)}<div class="buttons">
<button class="main" name="decision" value="approve" data-testid="authorization-button">Authorize</button>
<button name="decision" value="deny" data-testid="deny-button">Deny</button></div></form>"""
    return _page(f"Authorize {application}?", body)


def told(title: str, text: str, status: int = 200) -> Response:
    """A page that only says something."""
    alert = ' role="alert"' if status >= 400 else ' role="status"'
    return _page(title, f"<p{alert}>{escape(text)}</p>", status)


def _wish(application: str, username: str, scopes: Sequence[str]) -> str:
    items = "".join(
        f"<li><strong>{escape(scope)}</strong>: {escape(SCOPES.get(scope, 'Other access'))}</li>" for scope in scopes
    )
    return (
        f"<p><strong>{escape(application)}</strong> wants to act for you, <strong>{escape(username)}</strong>. "
        f"It asks for:</p><ul>{items}</ul>"
    )


def _alert(problem: str) -> str:
    return f'<p role="alert" class="bad">{escape(problem)}</p>' if problem else ""


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )


def _page(title: str, body: str, status: int = 200) -> Response:
    text = f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)} · GitLab sandbox</title>
<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{body}</main></body></html>
"""
    return Response(status, text, _HEADERS)
