"""``check -``: lints standard input. With ``--fix``, the text goes to stdout and the report to stderr."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from dropout_lint.commands.shared.linted import Linted, show_patches
from dropout_lint.commands.shared.options import CheckOptions
from dropout_lint.config.resolver import SettingsResolver
from dropout_lint.diagnostic import Failure
from dropout_lint.discovery.discovery import is_excluded
from dropout_lint.fixing.files import FixRun, NotFixedError, fix_source, without_unfixable


def check_stdin(options: CheckOptions, resolver: SettingsResolver) -> Linted:
    """Lint standard input, and fix it if asked to. A text that cannot be fixed is printed unchanged."""
    from dropout_lint.fixing.fixer import unified_diff
    from dropout_lint.linting.linter import Linter
    from dropout_lint.linting.stages import LintResult
    from dropout_lint.syntax.reading import decode_source
    from dropout_lint.syntax.text import SourceText, UnreadableSource

    path = options.stdin_filename or Path("-")
    data = sys.stdin.buffer.read()
    prints_text = options.fix and not options.diff

    def untouched(result: LintResult, *sources: SourceText) -> Linted:
        if prints_text:
            _print(data)
        return Linted(result, {str(path): source for source in sources}, stdout_taken=prints_text)

    if options.force_exclude and options.stdin_filename and is_excluded(path, resolver):
        return untouched(LintResult((), (), 0))
    try:
        source = decode_source(data, path)
    except UnreadableSource as problem:
        return untouched(LintResult((), (Failure(str(path), str(problem)),), 0))
    linter = Linter(resolver, 1)
    result = linter.run_text(path, source.text)
    result = replace(result, diagnostics=tuple(without_unfixable(result.diagnostics, resolver)))
    if not options.fix and not options.diff:
        return Linted(result, {str(path): source})
    try:
        outcome = fix_source(source, linter, resolver(path), frozenset(result.failures))
    except NotFixedError as problem:
        failure = Failure(str(path), f"not fixed: {problem}")
        return untouched(replace(result, failures=(*result.failures, failure)), source)
    left = replace(result, diagnostics=tuple(without_unfixable(outcome.remaining, resolver)))
    fixed = len(outcome.applied)
    if options.diff:
        patch = unified_diff(*source.patch_texts(outcome.text), str(path))
        show_patches(options, resolver, result, FixRun(left, fixed, (patch,) if patch else (), outcome.rejected))
    else:
        _print(source.encode(outcome.text))
    texts = {str(path): decode_source(source.encode(outcome.text), path)}
    return Linted(left, texts, fixed, changed=outcome.text != source.text, stdout_taken=prints_text)


def _print(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
