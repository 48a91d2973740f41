"""Upgrading a running checklist to a newer version: what is kept, asked again or removed."""

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.checklists import flag_term
from tests.factories.negotiations import Negotiation
from tests.factories.templates import (
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
    publish,
    small_terms,
)
from tests.pages import Page
from tracker.agreements import service as agreements
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Template
from tracker.checklists.models import Answer, Stance
from tracker.checklists.negotiation import positions
from tracker.checklists.reuse import template_upgrade
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.mail.models import OutboxMessage


def next_terms(**changed: dict[str, object] | None) -> Template:
    """Return the small terms with items changed by their code, under the next number."""
    content = small_terms().model_dump(mode="json", by_alias=True)
    items = []
    for item in content["sections"][0]["items"]:
        update = changed.get(item["code"], {})
        if update is not None:
            items.append(item | update)
    known = {item["code"] for item in items}
    items += [
        an_item(code) | update
        for code, update in changed.items()
        if code not in known and update is not None
    ]
    content["sections"][0]["items"] = items
    return Template.model_validate(content | {"version": 91})


def publish_next(
    negotiation: Negotiation, **changed: dict[str, object] | None
) -> template_upgrade.Move:
    publish(next_terms(**changed))
    negotiation.session.commit()
    to = template_upgrade.newer(negotiation.checklist())
    assert to is not None
    return template_upgrade.preview(negotiation.loaded(), to)


def move(negotiation: Negotiation, first: str = "ilena") -> None:
    template_upgrade.move(
        negotiation[first], negotiation.checklist(), library.newest(ChecklistKind.TERMS).id
    )
    negotiation.session.commit()


def test_a_running_checklist_stays_until_it_is_moved(negotiation: Negotiation) -> None:
    assert template_upgrade.newer(negotiation.checklist()) is None
    publish_next(negotiation, M1={"prompt": "Other words?"})
    assert negotiation.loaded().template.version == 90
    move(negotiation)
    assert negotiation.loaded().template.version == 91
    assert template_upgrade.newer(negotiation.checklist()) is None


def test_answers_and_agreement_on_what_did_not_change_are_kept(negotiation: Negotiation) -> None:
    settled = negotiation.settle("M1")
    publish_next(negotiation, M6={"prompt": "Other words?"})
    move(negotiation)
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    assert current.answer_id == settled.id
    assert negotiation.standing("M1").done


def test_a_reworded_item_keeps_its_answer_and_is_asked_again_of_all(
    negotiation: Negotiation,
) -> None:
    settled = negotiation.settle("M1")
    done = publish_next(negotiation, M1={"prompt": "What about all of M1?"})
    assert (done.reopened, done.cut) == (("M1",), ())
    move(negotiation)
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    assert current.answer_id == settled.id
    assert negotiation.waiting("M1") == {"npm", "door", "lantern"}
    negotiation.accept("M1", "ilena", "samira", "joana")
    assert negotiation.standing("M1").done


def test_a_change_of_advice_alone_reopens_nothing(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    assert publish_next(negotiation, M1={"help": "Write it plainly."}).reopened == ()
    move(negotiation)
    assert negotiation.standing("M1").done


def test_a_stricter_done_test_reopens_an_item(negotiation: Negotiation) -> None:
    rows = an_item("M1", a_table("rows", a_column("name")))
    publish(a_template(rows, version=91))
    negotiation.session.commit()
    move(negotiation)
    negotiation.save("ilena", "M1", rows=[{"name": "One"}])
    negotiation.accept("M1", "samira", "joana")
    assert negotiation.standing("M1").done
    check = {"check": "min_rows", "field": "rows", "n": 2}
    publish(a_template(rows | {"done": {"checks": [check]}}, version=92))
    negotiation.session.commit()
    move(negotiation)
    assert not negotiation.standing("M1").done
    assert [str(p.message) for p in negotiation.standing("M1").problems] == [
        "Rows: add rows, at least 2."
    ]


def test_values_that_no_longer_fit_stay_in_the_previous_version(negotiation: Negotiation) -> None:
    two = [a_field("words"), a_field("more")]
    publish(a_template(an_item("M1", *two), version=91))
    negotiation.session.commit()
    move(negotiation)
    negotiation.save("ilena", "M1", words="Kept", more="Let go")
    publish(a_template(an_item("M1", a_field("words")), version=92))
    negotiation.session.commit()
    to = template_upgrade.newer(negotiation.checklist())
    assert to is not None
    assert template_upgrade.preview(negotiation.loaded(), to).cut == ("M1",)
    move(negotiation)
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    assert (current.version, dict(current.values)) == (2, {"words": "Kept"})
    versions = negotiation.session.scalars(
        sa.select(Answer.values).where(Answer.item == "M1").order_by(Answer.version)
    ).all()
    assert versions[0] == {"words": "Kept", "more": "Let go"}


def test_a_value_of_another_type_is_let_go_and_nothing_breaks(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    publish_next(negotiation, M1={"fields": [a_field("words", "date")]})
    move(negotiation)
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    assert current.is_empty
    assert negotiation.standing("M1").state.value == "not_started"
    negotiation.save("ilena", "M1", seen=2, words="2026-05-01")


def test_a_choice_and_rows_keep_what_still_fits(negotiation: Negotiation) -> None:
    some = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
    day, name = a_column("day", "date", required=False), a_column("name")
    publish(
        a_template(
            an_item("M1", a_field("chosen", "choices", options=some), a_table("rows", name, day)),
            version=91,
        )
    )
    negotiation.session.commit()
    move(negotiation)
    negotiation.save("ilena", "M1", chosen=["a", "b"], rows=[{"name": "One", "day": "2026-05-01"}])
    publish(
        a_template(
            an_item("M1", a_field("chosen", "choices", options=some[:1]), a_table("rows", name)),
            version=92,
        )
    )
    negotiation.session.commit()
    move(negotiation)
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    assert dict(current.values) == {"chosen": ["a"], "rows": [{"name": "One"}]}


def test_a_removed_item_keeps_its_answer_and_comes_back_with_it(negotiation: Negotiation) -> None:
    saved = negotiation.settle("M6")
    done = publish_next(negotiation, M6=None)
    assert done.gone_answered == ("M6",)
    move(negotiation)
    assert "M6" not in negotiation.loaded().standing().items
    publish(next_terms().model_copy(update={"version": 92}))
    negotiation.session.commit()
    move(negotiation)
    current = negotiation.loaded().sheet.shared("M6")
    assert current is not None
    assert current.answer_id == saved.id
    assert negotiation.waiting("M6") == {"npm", "door", "lantern"}


def test_flags_and_proposals_on_removed_items_end(negotiation: Negotiation) -> None:
    saved = negotiation.save("ilena", "M6")
    flag_term(negotiation["samira"], negotiation.checklist(), "M6", "It limits.")
    positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M6",
        {"words": "Other"},
        answer_id=saved.id,
        reason="Better",
    )
    negotiation.session.commit()
    publish_next(negotiation, M6=None)
    move(negotiation)
    loaded = negotiation.loaded()
    assert loaded.flagged == frozenset()
    assert loaded.proposals == ()


def test_new_items_begin_empty_and_count(negotiation: Negotiation) -> None:
    before = negotiation.loaded().standing().total_count
    done = publish_next(negotiation, M11={})
    assert [item.code for item in done.difference.new] == ["M11"]
    move(negotiation)
    assert negotiation.loaded().standing().total_count == before + 1
    assert negotiation.checklist().total_count == before + 1


def test_the_signed_text_leaves_out_removed_items(negotiation: Negotiation) -> None:
    negotiation.settle("M6")
    publish_next(negotiation, M6=None)
    move(negotiation)
    sent = negotiation.send()
    revision = sent.revision_sent_id
    assert revision is not None
    assert "M6" not in str(negotiation.events("sent_for_signature"))
    from_text = negotiation.loaded().template
    assert from_text.item("M6") is None


def test_a_checklist_is_moved_only_while_it_is_drafted_or_amended(negotiation: Negotiation) -> None:
    publish_next(negotiation, M1={"prompt": "Other words?"}, M11={"required": "recommended"})
    checklist = negotiation.sign()
    negotiation.session.commit()
    with pytest.raises(RefusedError, match="part of an amendment"):
        move(negotiation)
    negotiation.session.rollback()
    agreements.amend(negotiation["ilena"], checklist, reason="New questions", items=["M3"])
    negotiation.session.commit()
    move(negotiation)
    assert negotiation.checklist().open_items == ["M3", "M11", "M1"]


@pytest.mark.parametrize("first", ["tomas", "nadia", "henrik", "dora"])
def test_only_a_coordinator_of_a_party_moves_it(negotiation: Negotiation, first: str) -> None:
    publish_next(negotiation, M1={"prompt": "Other words?"})
    with pytest.raises(RefusedError):
        move(negotiation, first)


def test_a_partners_coordinator_moves_it_and_the_other_parties_are_notified(
    negotiation: Negotiation,
) -> None:
    publish_next(negotiation, M1={"prompt": "Other words?"})
    move(negotiation, "samira")
    (event,) = negotiation.events("checklist_moved")
    assert (event["before"], event["after"], event["changed"]) == (90, 91, ["M1"])
    recipients = negotiation.session.scalars(
        sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == "checklist_moved")
    ).all()
    assert sorted(recipients) == ["ilena.dorvath@example.org", "joana.pires@example.org"]


def test_another_version_published_meanwhile_has_to_be_reviewed_first(
    negotiation: Negotiation,
) -> None:
    publish_next(negotiation, M1={"prompt": "Other words?"})
    seen = library.newest(ChecklistKind.TERMS).id
    publish(next_terms(M1={"prompt": "Others again?"}).model_copy(update={"version": 92}))
    negotiation.session.commit()
    with pytest.raises(StaleError):
        template_upgrade.move(negotiation["ilena"], negotiation.checklist(), seen)


def test_a_checklist_on_the_newest_is_not_moved(negotiation: Negotiation) -> None:
    with pytest.raises(RuleBrokenError, match="already on the newest version"):
        move(negotiation)


# Pages -----------------------------------------------------------------------------------------


def test_the_page_shows_what_changes_and_moves(negotiation: Negotiation, app: Flask) -> None:
    negotiation.settle("M1")
    negotiation.settle("M6")
    publish_next(negotiation, M1={"prompt": "What about all of M1?"}, M6=None, M11={})
    checklist = negotiation.checklist()
    browser = negotiation.country.browser(app, "ilena")
    page = browser.page(f"/checklists/{checklist.id}")
    address = f"/checklists/{checklist.id}/move"
    assert page.links()["Version 91 is out: see what would change"] == address
    page = browser.page(address)
    assert page.h1 == "Move to version 91"
    for words in ("1 new item", "1 item is gone", "1 changed item", "asked again", "M6"):
        assert words.lower() in page.text.lower()
    done = Page.of(browser.submit(address))
    assert "The checklist is now on version 91." in done.text
    assert (
        "Agreed terms: moved from version 90 to version 91."
        in browser.page(f"/cooperations/{negotiation.cooperation.reference}/history").text
    )


def test_the_wrong_side_is_refused_or_finds_nothing(negotiation: Negotiation, app: Flask) -> None:
    publish_next(negotiation, M1={"prompt": "Other words?"})
    address = f"/checklists/{negotiation.checklist().id}/move"
    for first, status in (("nadia", 403), ("henrik", 403), ("marek", 404)):
        browser = negotiation.country.browser(app, first)
        assert browser.get(address).status_code == status, first
        assert browser.post(address).status_code == status, first


def test_stances_stay_where_nothing_changed(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    publish_next(negotiation, M11={"required": "recommended"})
    move(negotiation)
    taken = negotiation.loaded().sheet.positions["M1"]
    assert {stance for _answer, stance in taken.values()} == {Stance.ACCEPTS}
