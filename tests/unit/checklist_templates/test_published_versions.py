"""The shipped checklists by version: instances refuse to start with another text of one."""

from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import canonical
from tracker.core.paths import CONTENT

# A version of which the text changes gets the next number, and its digest takes the place here.
DIGESTS = {
    (ChecklistKind.TERMS, 3): ("2b13dc78f8d98047df5a4d6ef8516692c7cf88b92fa662ba2e2db79e63344dbe"),
    (ChecklistKind.CONFIDENTIALITY, 5): (
        "98ee3e790b1ffb86714d614b2e4847459a325bd4770aa1faace3de934b2c1f3d"
    ),
    (ChecklistKind.VISIT_ROLES, 3): (
        "8e60688f96f2ae2ea547a93d9ab1cca7accd484a2c3d0ac6f63eb0cfa3ade6f9"
    ),
    (ChecklistKind.URGENT_PLAN, 4): (
        "1e4ebba014741d0c6c2dfcd70ca40607786fec4cfb12aedafd4025e5f3c6deeb"
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
