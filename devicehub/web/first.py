"""What a browser gets first: one answer that it can paint, with its style and the choice of its theme in it.

Both stand in files of their own, like everything else; the page's policy allows them by their digests.
"""

from pathlib import Path

from devicehub.web.access import policy, vouched

_STYLE = '<link rel="stylesheet" href="/static/style.css">'
_SCRIPT = '<script src="/static/theme.js"></script>'


def first_page(static: Path) -> tuple[bytes, str]:
    """The page as HTML, and the policy that goes with it. Raises `OSError`, `ValueError` where a file is not there."""
    page, style, script = (
        (static / name).read_text(encoding="utf-8") for name in ("index.html", "style.css", "theme.js")
    )
    if _STYLE not in page or _SCRIPT not in page:
        raise ValueError("index.html does not name style.css and theme.js as it should")
    page = page.replace(_STYLE, f"<style>{style}</style>").replace(_SCRIPT, f"<script>{script}</script>")
    return page.encode(), policy(f"'self' {vouched(script)}", f"'self' {vouched(style)}")
