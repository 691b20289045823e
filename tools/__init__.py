"""Programs for people who work on dropout-lint; not part of the package."""
