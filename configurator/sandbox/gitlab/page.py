"""The page at ``/``: projects, their hooks and what was delivered. One file of HTML, no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from configurator.sandbox.gitlab import health
from configurator.sandbox.gitlab.call import Instance
from configurator.sandbox.gitlab.model import Delivery, Hook, Project
from configurator.sandbox.gitlab.urls import masked

PER_PAGE = 50
_DELIVERIES_SHOWN = 20

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1f1e24;--dim:#626168;--line:#dcdcde;--card:#fbfafd;--accent:#c24b00;
--good:#217645;--bad:#c91c00;--wait:#8f4700}
@media(prefers-color-scheme:dark){:root{--bg:#18171d;--fg:#ececef;--dim:#a4a3a8;--line:#3a383f;--card:#1f1e24;
--accent:#fca326;--good:#52b87a;--bad:#ec7b66;--wait:#d99530}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
header,main{max-width:68rem;margin:0 auto;padding:1rem 1.25rem}header{display:flex;gap:1rem;align-items:baseline;
flex-wrap:wrap;border-bottom:3px solid var(--accent)}h1{font-size:1.25rem;margin:0}h2{font-size:1.05rem;margin:0}
.dim{color:var(--dim)}section{border:1px solid var(--line);background:var(--card);border-radius:8px;
padding:.8rem 1rem;margin:1rem 0}.head{display:flex;gap:.75rem;align-items:center;flex-wrap:wrap}
.head form{margin-left:auto;display:flex;gap:.4rem}table{border-collapse:collapse;width:100%;margin-top:.5rem}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line);vertical-align:top;
white-space:nowrap}td code,td .dim{overflow-wrap:anywhere}td:has(code),td:nth-child(3){white-space:normal;
min-width:9rem}th{color:var(--dim);font-weight:500;font-size:.85rem}code{font-size:.85rem}
button,input,select{font:inherit;padding:.2rem .7rem;border:1px solid var(--line);border-radius:6px;
background:var(--bg);color:var(--fg)}button{cursor:pointer;border-color:var(--accent);color:var(--accent)}
.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}.tag{border:1px solid var(--line);
border-radius:99px;padding:0 .6rem;font-size:.8rem}.scroll{overflow-x:auto}
"""


def render(instance: Instance, search: str, page: int) -> str:
    """The page as HTML. Hold the world's lock.

    Args:
        search: part of a project path; empty = all.
        page: from 1.
    """
    world = instance.world
    found = [project for project in world.projects.values() if search.lower() in project.path_with_namespace.lower()]
    page = min(max(page, 1), max(1, -(-len(found) // PER_PAGE)))
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    hooks = sum(len(of_project) for of_project in world.hooks.values())
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>GitLab sandbox</title>
<style>{_STYLE}</style></head><body>
<header><h1>GitLab sandbox</h1><span class="dim">version {escape(instance.version)} ·
{len(world.projects)} projects · {hooks} webhooks</span>
<form method="get" action="{escape(instance.base_url)}/"><input name="q" value="{escape(search)}"
placeholder="Find a project" aria-label="Find a project"></form>
<a href="">Refresh</a></header>
<main>{"".join(_project(instance, project) for project in shown) or "<p class=dim>No projects.</p>"}
{_pager(instance, search, page, len(found))}</main></body></html>
"""


def _project(instance: Instance, project: Project) -> str:
    options = "".join(f"<option>{escape(branch)}</option>" for branch in project.branches)
    button = (
        f'<form method="post" action="{escape(instance.base_url)}/-/sandbox/push">'
        f'<input type="hidden" name="project" value="{project.id}">'
        f'<select name="branch" aria-label="Branch">{options}</select><button>Push</button></form>'
    )
    archived = '<span class="tag">archived</span>' if project.archived else ""
    return f"""<section><div class="head"><h2>{escape(project.path_with_namespace)}</h2>
<span class="dim">id {project.id}</span><span class="tag">{project.visibility}</span>{archived}
{button if options else ""}</div>{_hooks(instance, project)}{_deliveries(instance, project)}</section>"""


def _hooks(instance: Instance, project: Project) -> str:
    hooks = instance.world.hooks[project.id].values()
    if not hooks:
        return '<p class="dim">No webhooks.</p>'
    rows = "".join(_hook(instance, hook) for hook in hooks)
    return (
        '<div class="scroll"><table><tr><th>Webhook</th><th>URL</th><th>Events</th><th>Branches</th>'
        f"<th>Status</th></tr>{rows}</table></div>"
    )


def _hook(instance: Instance, hook: Hook) -> str:
    settings = instance.world.settings
    status = health.alert(hook, instance.world.clock(), settings.auto_disable)["alert_status"]
    events = ", ".join(name.removesuffix("_events") for name, on in hook.flags.items() if on)
    about = "<br>".join(escape(text) for text in (hook.name, hook.description) if text)
    return (
        f'<tr><td>{hook.id}</td><td><code>{escape(masked(hook.url))}</code><div class="dim">{about}</div></td>'
        f"<td>{escape(events)}</td><td>{escape(hook.push_events_branch_filter or 'all')}</td>"
        f'<td class="{"good" if status == "executable" else "bad"}">{status}</td></tr>'
    )


def _deliveries(instance: Instance, project: Project) -> str:
    logs = (instance.world.deliveries.get(hook_id, ()) for hook_id in instance.world.hooks[project.id])
    entries = sorted((entry for log in logs for entry in log), key=lambda entry: -entry.id)[:_DELIVERIES_SHOWN]
    if not entries:
        return ""
    return f"<details open><summary>Deliveries</summary>{_delivery_table(entries)}</details>"


def _delivery_table(entries: Iterable[Delivery]) -> str:
    rows = "".join(
        f"<tr><td>{escape(entry.created_at[:19].replace('T', ' '))}</td><td>{entry.hook_id}</td>"
        f"<td>{escape(entry.trigger)}</td><td><code>{escape(str(entry.request_data.get('ref', '')))}</code></td>"
        f'<td class="{"good" if health.succeeded(entry.response_status) else "bad"}">'
        f"{escape(entry.response_status)}</td><td>{entry.execution_duration * 1000:.0f} ms</td></tr>"
        for entry in entries
    )
    return (
        '<div class="scroll"><table><tr><th>When (UTC)</th><th>Webhook</th><th>Event</th><th>Ref</th>'
        f"<th>Answer</th><th>Took</th></tr>{rows}</table></div>"
    )


def _pager(instance: Instance, search: str, page: int, found: int) -> str:
    links = [
        f'<a href="{escape(instance.base_url)}/?q={escape(search)}&amp;page={number}">{text}</a>'
        for number, text in ((page - 1, "Earlier"), (page + 1, "Later"))
        if 1 <= number <= -(-found // PER_PAGE)
    ]
    return f'<p class="dim">{" · ".join(links)}</p>'
