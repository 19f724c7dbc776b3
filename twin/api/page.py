"""The page for people: what the interface can do, from its own description."""

from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}td{border-top:1px solid #ccc;padding:.4rem .6rem;"
    "vertical-align:top}code{font-family:monospace}h2{margin-top:2rem;font-size:1.1rem}"
)


def page(description: Mapping[str, Any]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    description : mapping
        OpenAPI document.
    """
    info = description["info"]
    groups: dict[str, list[str]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            text = operation.get("description", "").partition("\n")[0]
            row = f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td>"
            groups.setdefault(operation["tags"][0], []).append(f"{row}<td>{escape(text)}</td></tr>")
    tables = "".join(f"<h2>{escape(tag)}</h2><table>{''.join(rows)}</table>" for tag, rows in groups.items())
    example = 'curl -H "Authorization: Bearer $TOKEN" .../v1/status'
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['description']).replace('`', '')}</p>"
        f"<p><code>{escape(example)}</code></p>"
        '<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>'
        f"{tables}</html>"
    )
