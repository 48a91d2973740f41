"""The shipped checklists by version: instances refuse to start with another text of one."""

from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import canonical
from tracker.core.paths import CONTENT

# A version of which the text changes gets the next number, and its digest takes the place here.
DIGESTS = {
    (ChecklistKind.TERMS, 4): ("25088c6703689ead681910f0f1d16f4bb1d1739b6347b7c8ce9ca2411e871108"),
    (ChecklistKind.CONFIDENTIALITY, 6): (
        "66d070e52ea2708b0a86545b7205c6438e5ba57307c0d4a6bfd246effc5624d6"
    ),
    (ChecklistKind.VISIT_ROLES, 4): (
        "38f6c88121dc3676c1f8a5ecb0920c375c4dc01b0cd51b2a4adda0934f8bbb8f"
    ),
    (ChecklistKind.URGENT_PLAN, 5): (
        "227bf2ca439d61c55ad10997941a5a540828137db7b052b3a6ddc7d200539ad8"
    ),
}


def test_the_text_of_a_shipped_version_never_changes_under_its_number() -> None:
    shipped = [file.template for file in library.read(CONTENT)]
    assert {(template.kind, template.version) for template in shipped} == set(DIGESTS)
    changed = [
        template.kind.value
        for template in shipped
        if canonical.digest_of(library.content_of(template))
        != DIGESTS[template.kind, template.version]
    ]
    assert changed == [], "Raise the version: instances that loaded it refuse to start otherwise."
