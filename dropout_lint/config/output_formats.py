"""The names of the output formats, which settings and the command line check."""

FORMATS = {
    "full": "full",
    "concise": "concise",
    "json": "json_format",
    "github": "github",
    "grouped": "grouped",
    "sarif": "sarif",
    "gitlab": "gitlab",
    "junit": "junit",
    "azure": "azure",
    "pylint": "pylint",
}
"""The module of each output format. A module has ``render(result, view)``."""
