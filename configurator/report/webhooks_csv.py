"""Webhooks as CSV, for a spreadsheet. What a server contributed is never read as a formula there."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from configurator.report.safe import clean
from configurator.report.webhooks_json import hook_json
from configurator.webhooks.model import Finding

COLUMNS = (
    "class",
    "gitlab",
    "project",
    "project_id",
    "hook_id",
    "job",
    "url",
    "events",
    "owner",
    "evidence",
    "also",
    "created_at",
    "alert_status",
    "keeper",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell begins with that Excel, LibreOffice or Google Sheets takes for a formula, also in full width."""


def findings_csv(findings: Sequence[Finding]) -> str:
    """One line for each finding after a line with the names of the columns; lists are separated by blanks."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for finding in findings:
        row = hook_json(finding)
        writer.writerow([_cell(row[column]) for column in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    """A value as text. An apostrophe before what looks like a formula makes spreadsheets show it as it is."""
    if value is None:
        return ""
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return ("'" if text.lstrip(" ").startswith(_FORMULA) else "") + clean(text)
