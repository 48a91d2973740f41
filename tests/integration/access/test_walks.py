"""Walks over all pages as all people: links open, nothing is written, own-side words stay hidden.

One worker runs all of this file and of test_permissions (tests/conftest.py), so that each page is
requested once per person.
"""

from urllib.parse import urlsplit

import pytest

from tests.effort import is_long, tries
from tests.factories.own_side import SIDES, STANDING, VISIT
from tests.integration.access.codes import codes_on
from tests.integration.access.places import KINDS
from tests.integration.access.walks import BOTH, PEOPLE, READS_TITLES, WALKERS, Walks
from tests.pages import Page

# Where the demonstration's visit goes, of class K2: only for people who are cleared and listed.
PLACE = "Lower Harbour police station"
LISTED = {
    "NPM coordinator",
    "NPM signatory",
    "NPM team lead",
    "CSO coordinator",
    "CSO signatory",
    "CSO expert, cleared",
}
# The tables that reading may write to (product.md, section 7); the second only if it is refused.
LOGS = {"read_log_entry", "security_log_entry"}
# Pages that no link leads to: for machines, files, and links from a mail or a form.
WITHOUT_LINK = {
    "running.healthz",
    "evidence.checkpoint",
    "evidence.consistency",
    "evidence.newest_checkpoint",
    "evidence.public_keys",
    "accounts.accept_invitation",
    "getting_started.mail_arrived",
    "security.reset_password",
    "security.two_factor_token_validation",
    "security.mf_recovery",
    "security.wan_signin",
    "security.wan_verify",
    "gallery.show",
}
# Pages that are led to in a state that the demonstration is not in: acting for two organisations,
# page 2 of a form, a suspended person, somebody without an account who signs on paper, a second
# factor that is needed and not there, terms that are ready to be read or sent, that ended or that
# a party gave notice of, a scan that waits, an amendment under way, a visit not ready, more than
# one version of a checklist, an article shipped over an edit, a record of how a partner was chosen.
IN_ANOTHER_STATE = {
    "accounts.after_factor_change",
    "accounts.switch",
    "authoring.publish_shipped",
    "authoring.retire",
    "closing.confirm",
    "closing.record_confirmation",
    "deciding.decide",
    "departures.show",
    "departures.take_back",
    "ending.agree_anew",
    "ending.call_off",
    "guidance_editing.pass_over",
    "guidance_editing.use",
    "invitation_requests.answer",
    "invitation_requests.make",
    "joining.take_back",
    "model_texts.back_to_product",
    "moving.move",
    "organisations.add_kind",
    "paper.refuse",
    "paper.withdraw",
    "people.restore",
    "positions.settle",
    "readings.answer_hint",
    "readings.ask",
    "readings.flag",
    "readings.show",
    "recorded_selection.use",
    "reviews.call_off",
    "reviews.conclude",
    "reviews.show",
    "reviews.write",
    "safeguards.review",
    "together.read",
    "together.sign",
    "undertaking_paper.blank",
    "undertaking_paper.record",
    "undertaking_paper.refuse",
    "undertaking_paper.scan",
    "undertaking_paper.show",
    "undertaking_paper.withdraw",
    "undertaking_presence.fill_in",
    "undertaking_presence.sign",
    "undertakings.added_interest",
    "undertakings.countersign",
    "undertakings.record_interest",
    "undertakings.sign",
    "undertakings_together.countersign",
    "undertakings_together.read",
    "visits.open_my_part",
    "visits.override",
    "visits.put_in_charge",
    "visits.record_part",
}


# Pages with links for authors, for some minutes after they wrote.
FOR_A_WHILE = {"comments.edit", "comments.withdraw"}
NPM, CSO = SIDES["npm"], SIDES["cso"]
# People of neither side walk once, after both wrote. In the short form one person of each side
# walks, since the others read by the same rules, and those of neither see no cooperation at all.
OF_NEITHER = [key for key in NPM.others if key in CSO.others]
SHORT = {BOTH: (), "npm": ("samira",), "cso": ("ilena",)}
OTHERS = [
    (name, key)
    for name, others in ((BOTH, OF_NEITHER), ("npm", NPM.others), ("cso", CSO.others))
    for key in others
    if (name == BOTH or key not in OF_NEITHER) and (is_long() or key in SHORT[name])
]
UNCLEARED = [
    (name, key)
    for name, side in SIDES.items()
    for key in side.uncleared[: tries(short=1, long=len(side.uncleared))]
]


@pytest.mark.parametrize("column", WALKERS)
def test_every_link_opens_a_valid_page_writes_nothing_and_shows_the_place_to_the_listed_alone(
    walks: Walks, column: str
) -> None:
    key = KINDS["complete"][column]
    walked = walks.walk(key)
    assert walked.bad() == []
    assert len(walked.statuses) > 10
    assert walks.changed_by_reading[key] - LOGS == set()
    tell = [address for address, text in walked.texts.items() if PLACE in text]
    assert bool(tell) == (column in LISTED), tell


def test_every_page_can_be_reached_by_links(walks: Walks) -> None:
    urls = walks.app.url_map.bind("localhost")
    reached = {
        str(urls.match(urlsplit(address).path)[0])
        for key in PEOPLE
        for address in walks.walk(key).statuses
    }
    pages = {
        rule.endpoint
        for rule in walks.app.url_map.iter_rules()
        if "GET" in (rule.methods or set()) and not rule.rule.startswith("/closed/")
    }
    assert pages - reached - FOR_A_WHILE == WITHOUT_LINK | IN_ANOTHER_STATE


# Codes of items -----------------------------------------------------------------------------------


def page_with(words: str) -> Page:
    head = '<!doctype html><html lang="en"><head><title>Terms</title></head>'
    return Page(f"{head}<body><main>{words}</main></body></html>", "a page")


def test_a_code_is_noticed_in_words_and_labels_but_not_beside_an_item_or_in_its_source() -> None:
    shown = """<h2><span class="vh">M5 </span>Independence</h2><span class="code">M5</span>
        <details class="quiet source"><summary>Source</summary><p>S12</p></details>
        <p dir="auto">See M5.</p><p>Sheet A4, 12 May, G1</p>"""
    assert codes_on(page_with(shown)) == []
    for wrong in (
        "<p>Open again: M12</p>",
        '<a href="/">Change<span class="vh"> M5</span></a>',
        "<p><b>Look</b> at V14.</p>",
        '<ul aria-label="Positions on C3"></ul>',
        "<p>Based on S49</p>",
    ):
        assert len(codes_on(page_with(wrong))) == 1, wrong


@pytest.mark.parametrize("column", READS_TITLES)
def test_pages_name_items_by_their_titles(walks: Walks, column: str) -> None:
    """language.md: name the thing, not its number."""
    key = KINDS["complete"][column]
    walks.walk(key)
    coded = walks.coded[key]
    assert len(coded) > 100
    coded = {address: words for address, words in coded.items() if words}
    assert coded == {}, "\n".join(f"{address}: {words}" for address, words in coded.items())


# What one side writes and assigns for itself -------------------------------------------------


@pytest.mark.parametrize(("side", "key"), OTHERS)
def test_what_one_side_writes_changes_not_a_byte_of_any_page_of_the_others(
    walks: Walks, side: str, key: str | None
) -> None:
    walked, written = walks.walk(key, side), walks.written[side]
    assert walked.faults == []
    assert len(walked.statuses) > 10
    assert walks.differing(key, side) == []
    revealing = [
        address
        for address, text in walked.texts.items()
        if written.in_text(text) or written.in_text(address)
    ]
    assert revealing == []
    if key in ("greta", "iris", "vera"):  # who sees no assignment at all
        text = "".join(walked.texts.values())
        assert ("Assigned to" in text, "/assign" in text) == (False, False)


@pytest.mark.parametrize("side", SIDES)
def test_on_a_visits_roles_a_cleared_colleague_reads_the_comments(walks: Walks, side: str) -> None:
    reader = SIDES[side].comments["complete", "visit_roles"][1]
    text = "\n".join(walks.walk_within(reader, side, SIDES[side].comments).texts.values())
    standing, visit = (walks.written[side].comments[name] for name in (STANDING, VISIT))
    assert [word for word in (*standing.standing, *visit.standing) if word not in text] == []
    assert [word for word in (*standing.withdrawn, *visit.withdrawn) if word in text] == []


@pytest.mark.parametrize(("side", "key"), UNCLEARED)
def test_on_a_visits_roles_a_colleague_who_is_not_cleared_reads_nothing(
    walks: Walks, side: str, key: str
) -> None:
    walked, written = walks.walk(key, side), walks.written[side]
    texts = dict(walked.texts)
    text = "\n".join(texts.values())
    assert [word for word in written.comments[STANDING].standing if word in text]
    assert written.in_text(text, VISIT) == []
    assert [address for address in walked.statuses if written.in_text(address, VISIT)] == []
    roles = str(walks.demonstration.checklists["complete", "visit_roles"])
    assert [address for address, text in texts.items() if roles in address + text] == []
