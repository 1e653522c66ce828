"""Below "The lab" of a chapter: where else its notebook can be opened, and what it needs there.

Where the repository is published decides the links: `BOOK_REPOSITORY` (or `GITHUB_REPOSITORY`, which GitHub's
own runners set) names it as `owner/name`. Without it there are none: a book built at home links nowhere.
"""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote, urlencode

from docutils import nodes

BRANCH = "main"
HEADING = "The lab"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def links(repository: str, notebook: str, hub: str = "") -> list[tuple[str, str, str]]:
    """Name, address and what it needs, for each place.

    Args:
        repository: `owner/name` on GitHub.
        notebook: its path in the repository.
        hub: the address of a JupyterHub with nbgitpuller, where there is one.
    """
    name = repository.split("/")[1]
    install = f'!pip install "matmul-on-metal[labs] @ git+https://github.com/{repository}"'
    made = [
        (
            "Colab",
            f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{notebook}",
            f"needs a Google account; run {install} in a cell of its own first.",
        ),
        (
            "Binder",
            f"https://mybinder.org/v2/gh/{repository}/{BRANCH}?{urlencode({'labpath': notebook})}",
            "needs no account; the first start takes minutes, and nothing is kept.",
        ),
    ]
    if hub:
        asked = urlencode(
            {
                "repo": f"https://github.com/{repository}",
                "branch": BRANCH,
                "urlpath": f"lab/tree/{name}/{notebook}",
            },
            quote_via=quote,
        )
        made.append(
            (
                "JupyterHub",
                f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{asked}",
                "needs an account there, and the project installed on it: make set-up in a terminal.",
            )
        )
    return made


def _add(app: Any, doctree: nodes.document, page: str) -> None:
    repository = app.config.book_repository
    if not repository:
        return
    for section in doctree.findall(nodes.section):
        heading = section.next_node(nodes.title)
        if heading is None or heading.astext() != HEADING:
            continue
        # A chapter and its lab go by one name.
        notebook = f"labs/{page.rsplit('/', 1)[-1]}.ipynb"
        section += nodes.paragraph("", "Elsewhere:")
        items = nodes.bullet_list()
        for name, address, needs in links(repository, notebook, app.config.book_hub):
            text = nodes.paragraph("", "", nodes.reference("", name, refuri=address, internal=False))
            text += nodes.Text(f" {needs}")
            items += nodes.list_item("", text)
        section += items


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx.

    Raises:
        ValueError: the repository is not `owner/name`.
    """
    repository = os.environ.get("BOOK_REPOSITORY") or os.environ.get("GITHUB_REPOSITORY") or ""
    if repository and not _REPOSITORY.fullmatch(repository):
        raise ValueError(f"BOOK_REPOSITORY is {repository!r}; it must be owner/name.")
    app.add_config_value("book_repository", repository, "env", [str])
    app.add_config_value("book_hub", os.environ.get("BOOK_HUB", ""), "env", [str])
    app.connect("doctree-resolved", _add)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
