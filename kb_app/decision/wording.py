"""Advice in one sentence, as the screen shows it first."""

from __future__ import annotations

from kb_app.decision.durations import format_minutes
from kb_app.decision.model import Advice, PathInput
from kb_app.decision.values import Recommendation, Review


def advice_sentence(advice: Advice) -> str:
    """Return what to do now in one sentence; the reasons and the duties stand apart."""
    guessed = {assumed.of for assumed in advice.assumed if assumed.key == "time"}
    mitigation = _path(
        "the mitigation", advice.mitigation, advice.mitigation_minutes, is_assumed="mitigation" in guessed
    )
    fix = _path("the fix", advice.fix, advice.fix_minutes, is_assumed="fix" in guessed)
    match advice.recommend:
        case Recommendation.CONTAIN:
            how = _path("", advice.containing, None) or "stop writes and isolate what is broken"
            return f"Stop the damage to data first: {how}."
        case Recommendation.NORMAL_CHANGE:
            return "No emergency: give the customer a workaround and make a normal change."
        case Recommendation.ESCALATE:
            return "Escalate: no path may be used now."
        case Recommendation.MITIGATE_THEN_FIX:
            return f"Mitigate now: {mitigation}. Fix afterwards."
        case Recommendation.PARALLEL:
            return f"Two people at once: one takes {mitigation}, one takes {fix}."
        case Recommendation.FIX_FORWARD:
            review = "before" if advice.review is Review.BEFORE else "after"
            fallback = ""
            if advice.timebox_minutes is not None:
                fallback = f" After {format_minutes(advice.timebox_minutes)} fall back to {mitigation}."
            return f"Fix forward now: {fix}, review {review} deployment.{fallback}"


def _path(label: str, path: PathInput | None, minutes: float | None, *, is_assumed: bool = False) -> str:
    if path is None:
        return label
    name = f"“{path.name}”" if path.name else label or "the containing path"
    if minutes is None:
        return name
    return f"{name} ({format_minutes(minutes)}{', its time is assumed' if is_assumed else ''})"
