"""The shipped checklists by version: instances refuse to start with another text of one."""

from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import canonical
from tracker.core.paths import CONTENT

# A version of which the text changes gets the next number, and its digest takes the place here.
DIGESTS = {
    (ChecklistKind.TERMS, 6): ("44b91e709ff65345d7cf681c8f2400c82c1d083a47706324ddcb0e90c55508c0"),
    (ChecklistKind.CONFIDENTIALITY, 7): (
        "cd30d94ebee62d717bfa6ff352319be6924011cae0d44c61a6adb1b6164b51fb"
    ),
    (ChecklistKind.VISIT_ROLES, 6): (
        "6189cc8f30eac442e189d7ca5e1b5350e4e173f0689902b7d03b37ee9d695585"
    ),
    (ChecklistKind.URGENT_PLAN, 6): (
        "bec00ae7ef58f0e55602665a2f3aaee3c1faf4e40e5163870eee6e412c7c4c40"
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
