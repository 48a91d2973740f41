"""The shipped checklists by version: instances refuse to start with another text of one."""

from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import canonical
from tracker.core.paths import CONTENT

# A version of which the text changes gets the next number, and its digest takes the place here.
DIGESTS = {
    (ChecklistKind.TERMS, 3): ("1564a02479dc65509a661ecc2102bac9138508a6947e141cf0c167c8028965ef"),
    (ChecklistKind.CONFIDENTIALITY, 5): (
        "d4bb4f79cec54001fd8db0fd4e2f468fa2ff16dc39993fddf0909602df8d8c77"
    ),
    (ChecklistKind.VISIT_ROLES, 3): (
        "05e89e2f88b00f61b179d417b3ac31b45bf3da683a1c1c016ae741c25904416e"
    ),
    (ChecklistKind.URGENT_PLAN, 4): (
        "95e7841f4970f7071da57e67d7df561336cdb330c674733448966355f6cdaf83"
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
