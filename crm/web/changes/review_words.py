"""How the history tells of a review, of what went up to the city and of what came back."""

from collections import Counter
from datetime import datetime
from typing import Any

from crm.domain import reviews, submissions, words

ACTIONS: dict[str, str] = {
    "receive_application": "收件",
    "check_application": "核对初审要点",
    "recommend_application": "推荐上报",
    "return_application": "退回补正",
    "refuse_recommendation": "不予推荐",
    "record_submission": "登记报送",
    "record_submission_results": "登记报送结果",
}
FIELDS: dict[str, str] = {
    "application_review.received_at": "收件时刻",
    "application_review.late_reason": "截止后收件的理由",
    "application_review.reviewer_name": "审核人",
    "application_review.reviewed_on": "初审日期",
    "application_review.checklist": "初审要点",
    "application_review.result": "初审结论",
    "application_review.opinion": "初审意见",
    "application_review.missing": "一次性告知",
    "application_review.mend_by": "补正期限",
    "submission_application.position": "报送序号",
    "submission_application.change": "报送变化",
    "submission_application.result": "市里结果",
    "submission_application.result_on": "结果日期",
    "submission_application.result_reason": "原因",
}


def said(key: str, value: Any) -> str | None:
    """A value of these fields in words; None for a field of something else."""
    if key not in FIELDS:
        return None
    if value is None or value in ("", [], {}):
        return words.BLANK
    match key:
        case "application_review.received_at":
            return f"{words.local(datetime.fromisoformat(value)):%Y-%m-%d %H:%M}"
        case "application_review.checklist":
            return _tally(value)
        case "application_review.result":
            return reviews.RESULTS.get(value, value)
        case "application_review.missing":
            return "；".join(str(one) for one in value)
        case "submission_application.change":
            return submissions.CHANGES.get(value, value)
        case "submission_application.result":
            return submissions.RESULTS.get(value, value)
    return str(value)


def _tally(checklist: dict[str, Any]) -> str:
    """How many points got which answer: 是 14 条，否 1 条."""
    counts = Counter(one.get("answer") for one in checklist.values() if isinstance(one, dict))
    told = [f"{word} {counts[answer]} 条" for answer, word in reviews.ANSWERS.items() if counts[answer]]
    return "，".join(told) or "只有说明"
