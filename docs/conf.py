"""How Sphinx builds the documents: `python -m sphinx -W -b html -c docs . site` in the checkout, without network."""

project = "devicehub"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/*/*.md", "benchmarks/*.md"]
exclude_patterns = [".*", "site", "dist"]
# Anchors as the usual hosts name them; that each leads somewhere is checked by the build.
myst_heading_anchors = 6
# That every document is reached by links from the first is a test; a second list of them would be one to keep.
suppress_warnings = ["toc.not_included"]
html_theme = "alabaster"
html_theme_options = {"nosidebar": True, "page_width": "72em", "body_max_width": "72em"}
html_show_sphinx = False
