"""Sphinx: `make docs` builds this into docs/_build/html; a warning is an error."""

import tomllib
from pathlib import Path

PROJECT = tomllib.loads(Path(__file__).parent.parent.joinpath("pyproject.toml").read_text())

project = "livecounters"
author = "livecounters contributors"
copyright = "livecounters contributors"
release = version = PROJECT["project"]["version"]

extensions = ["myst_parser", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 4
# The prompt of a shell and of Python are no part of what is copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = f"livecounters {release}"
# What is not written by hand cannot be read by machine: no page of modules, no download.
html_copy_source = False
html_show_sourcelink = False
