"""The digest of what a second reader reads: for the token of their page, from inside or outside."""

from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import OutsideReading
from tracker.core.canonical import digest_of


def text_digest(loaded: LoadedChecklist, reading: OutsideReading | None = None) -> str:
    """Return a digest of what a reader sees: the text and its open flags.

    reading is the invitation of an outside reader: what is printed of them is part of it.
    """
    answers = sorted(
        (*map(str, key), str(answer.answer_id)) for key, answer in loaded.sheet.answers.items()
    )
    return digest_of(
        {
            "reading": [str(reading.id), reading.name, reading.function, reading.reason]
            if reading
            else [],
            "checklist": str(loaded.checklist.id),
            "template": loaded.checklist.template.digest,
            "answers": [list(answer) for answer in answers],
            "flagged": sorted(loaded.flagged),
        }
    )
