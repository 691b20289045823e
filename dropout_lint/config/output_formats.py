"""The names of the output formats, against which settings and options are checked."""

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
