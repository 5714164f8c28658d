"""The progress of a campaign in words for a terminal."""

from collections.abc import Iterator

from polyscape.stages.progress import Progress, StageProgress, total_core_s

_SHOWN = 10
"""Failures listed one by one."""


def progress_words(progress: Progress) -> str:
    """A table of stages, what failed and why, and what it cost."""
    lines = [f"campaign {progress.campaign}", ""]
    lines += [f"{'stage':24}{'done':>12}{'running':>9}{'failed':>8}{'core-hours':>12}{'to come':>10}"]
    lines += [_stage_line(stage) for stage in progress.stages]
    lines += ["", *_points(progress), *_failures(progress), *_costs(progress)]
    return "\n".join(lines)


def _stage_line(stage: StageProgress) -> str:
    to_come = "" if stage.predicted_core_s is None else _hours(stage.predicted_core_s)
    counts = f"{f'{stage.done}/{stage.jobs}':>12}{stage.running or '':>9}{len(stage.failed) or '':>8}"
    return f"{stage.stage:24}{counts}{_hours(stage.spent_core_s):>12}{to_come:>10}".rstrip()


def _points(progress: Progress) -> Iterator[str]:
    for level, ended in progress.points.items():
        yield f"single points at {level}: " + ", ".join(f"{count} {how}" for how, count in ended.items())


def _failures(progress: Progress) -> Iterator[str]:
    failed = [pair for stage in progress.stages for pair in stage.failed]
    for title, pairs in (
        ("jobs that failed or died:", failed),
        ("single points without a result:", progress.reasons),
    ):
        if pairs:
            yield title
            yield from (f"  {name}: {why}" for name, why in pairs[:_SHOWN])
            if len(pairs) > _SHOWN:
                yield f"  and {len(pairs) - _SHOWN} more"


def _costs(progress: Progress) -> Iterator[str]:
    expected = progress.expected
    paid, price = _hours(total_core_s(progress.stages)), _hours(progress.levels_core_s)
    yield f"paid so far: {paid} core-hours; price of the levels of theory, results from the store included: {price}"
    yield expected.words()
    if expected.limit_core_s is not None:
        left_s = max(0.0, expected.limit_core_s - progress.levels_core_s)
        yield f"budget: {_hours(left_s)} of {_hours(expected.limit_core_s)} core-hours left"
    for row in progress.accuracy:
        yield (
            f"cost model, {row.level or 'all levels'}: {row.within:.0%} of {row.points} points within a factor of 1.5 "
            f"of what the others predict (without refinement {row.law_within:.0%}), median factor {row.factor:.2f}"
        )


def _hours(core_s: float) -> str:
    return f"{core_s / 3600:.3g}"
