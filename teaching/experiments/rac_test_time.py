"""Success over the recoveries allowed at test time, one policy for all caps, on the runs of `teaching.experiments.rac`.

The runs are those of `rac`, kept beside its own: what is there is not run again.
"""

from __future__ import annotations

from dataclasses import replace

from teaching.experiments import rac, rac_report
from teaching.experiments.experiment import Finding, Given

ARMS = ("hg-dagger", "rac")


def run(given: Given) -> Finding:
    """In full: all arms, both scenes, five seeds; else RaC and HG-DAgger in `looks`, one seed. Options as of `rac`."""
    rows, settings = rac.runs(replace(given, work=given.work.with_name("rac")), rac.ARMS, ARMS)
    return rac_report.test_time(rows, settings)
