"""What each of RaC's two rules does, on the runs of `teaching.experiments.rac`: recover first, and stop afterwards.

The runs are those of `rac`, kept beside its own: what is there is not run again.
"""

from __future__ import annotations

from dataclasses import replace

from teaching.experiments import rac, rac_report
from teaching.experiments.experiment import Finding, Given

ARMS = ("hg-dagger", "rule2", "rule1", "rac")
"""Neither rule, each alone, both."""


def run(given: Given) -> Finding:
    """In full: both scenes, five seeds; else `looks`, one seed. Options: `scenes` and `cells`, as of `rac`."""
    rows, settings = rac.runs(replace(given, work=given.work.with_name("rac")), ARMS, ARMS)
    return rac_report.rules(rows, settings)
