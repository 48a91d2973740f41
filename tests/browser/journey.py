"""The steps of the main journeys, as people do them in their browsers.

In one file: each step goes on where the one before it ended.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.browser.answering import Facts, answer, decide, decide_together
from tests.browser.conftest import NewContext
from tests.browser.instances import opened
from tests.browser.journeys.measured import watch
from tests.browser.people import (
    Person,
    first_administrator,
    invitation_link,
    mailed_link,
    somebody,
)
from tests.effort import is_long
from tests.factories.actors import acting_today
from tests.factories.checklists import complete_answers
from tests.servers.application import Application
from tracker.accounts.models import User
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.core.db import db

NPM = "Office of the People's Advocate"
CSO = "Lantern Health Network"
TITLE = "Joint monitoring of police custody"
ORGANISATIONS = {NPM: "National Preventive Mechanism", CSO: "Civil society organisation"}
PEOPLE = (
    (NPM, "Ilena Dorvath", ("Coordinator",)),
    (NPM, "Tomas Beridan", ("Signatory",)),
    (NPM, "Milan Osterin", ("Manager",)),
    (NPM, "Nadia Corvel", ("Member",)),
    (NPM, "Pavo Linden", ("Member",)),
    (NPM, "Ruth Abara", ("Member",)),
    (CSO, "Joana Pires", ("Coordinator",)),
    (CSO, "Otto Brandis", ("Signatory", "Manager")),
    (CSO, "Leyla Marchetti", ("Member",)),
)
# The telephone numbers that coordinators give in their accounts.
NUMBERS = {"Ilena": "+000 555 011", "Joana": "+000 555 012", "Samira": "+000 555 013"}
# How many items each side answers, besides those with facts of their own, and accepts in the short
# form.
SOME_MORE = 1


class Company(Protocol):
    """Everybody in a cooperation, by a short name."""

    reference: str

    def __getitem__(self, name: str) -> Person:
        """Return somebody."""


@dataclass
class DemoPeople:
    """Everybody in the journey, by first name."""

    live: Application
    new_context: NewContext
    people: dict[str, Person] = field(default_factory=dict)
    reference: str = ""
    # Called with the tab of each person.
    prepare: Callable[[Page], Page] | None = None

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def add(self, person: Person) -> None:
        """Add somebody, by their first name."""
        if self.prepare is not None:
            self.prepare(person.page)
        self.people[person.name.split()[0]] = person


def gather(live: Application, new_context: NewContext) -> DemoPeople:
    """Let the administrator in, add both organisations, and have everybody accept."""
    demo_people = DemoPeople(live, new_context)
    _gather(demo_people, ORGANISATIONS, PEOPLE)
    return demo_people


def gather_two(demo_people: DemoPeople, second: str) -> None:
    """Gather everybody for a cooperation with a second CSO, and count what each does."""
    demo_people.prepare = watch
    _gather(
        demo_people,
        {**ORGANISATIONS, second: "Civil society organisation"},
        (
            *PEOPLE,
            (second, "Samira Dell", ("Coordinator",)),
            (second, "Henrik Vale", ("Signatory", "Manager")),
        ),
    )


def _gather(
    demo_people: DemoPeople,
    organisations: Mapping[str, str],
    people: Iterable[tuple[str, str, tuple[str, ...]]],
) -> None:
    live, new_context = demo_people.live, demo_people.new_context
    admin = first_administrator(live, new_context)
    demo_people.add(admin)
    for name, kind in organisations.items():
        _add_organisation(admin, kind, name)
    for organisation, name, roles in people:
        phone = {"viewport": {"width": 360, "height": 740}} if name.startswith("Leyla") else {}
        person = somebody(live, new_context, name, **phone)
        _invite(admin, organisation, person, roles)
        demo_people.add(person)
    for person in demo_people.people.values():
        if person is not admin:
            person.accept(invitation_link(live, person.email))
    for name, number in NUMBERS.items():
        if name in demo_people.people:
            _give_number(demo_people[name], number)
    _let_powers_begin(demo_people)


def _give_number(person: Person, number: str) -> None:
    """Have somebody give their telephone number in their own account."""
    page = person.page
    page.goto("/account")
    page.locator("input[name=telephone]").fill(number)
    page.locator("form:has(input[name=telephone]) button").first.click()
    expect(page.locator(".flashes")).to_be_visible()


def _let_powers_begin(demo_people: DemoPeople) -> None:
    """Have everybody accept what the administrator confirmed, since nobody else could."""
    for name, role in (
        ("Tomas", "Signatory"),
        ("Milan", "Manager"),
        ("Otto", "Signatory"),
        ("Otto", "Manager"),
        ("Henrik", "Signatory"),
        ("Henrik", "Manager"),
    ):
        if name in demo_people.people:
            demo_people[name].accept_role(role)


def _add_organisation(admin: Person, kind: str, name: str) -> None:
    page = admin.page
    page.goto("/organisations/new")
    page.get_by_label(re.compile(kind)).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Legal base or mandate").fill("To prevent ill-treatment in custody.")
    if kind != ORGANISATIONS[NPM]:
        page.locator("input[name=types]").first.check()
    page.get_by_role("button", name="Add the organisation").click()
    admin.expect_told(f"{name} is added.")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def _invite(admin: Person, organisation: str, person: Person, roles: Iterable[str]) -> None:
    page = admin.page
    page.goto("/people/invite")
    _choose(page, organisation)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Email address").fill(person.email)
    page.get_by_label("Name", exact=False).nth(0).fill(person.name)
    for role in roles:
        page.get_by_role("checkbox", name=re.compile(f"^{role}")).check()
    if "Signatory" in roles:
        page.get_by_label(re.compile("^Office")).fill("President")
        page.get_by_label(re.compile("^Power to sign")).fill("section 12 of its statutes")
    page.get_by_role("button", name="Send the invitation").click()
    admin.expect_told(f"An invitation to {person.email} is written")


def _choose(page: Page, words: str) -> None:
    """Choose a radio button or from a list, whichever the page offers."""
    radio = page.get_by_label(words)
    if radio.count() and radio.first.get_attribute("type") == "radio":
        radio.first.check()
    else:
        page.locator("main select").first.select_option(label=words)


def open_cooperation(demo_people: DemoPeople, second: str = "") -> None:
    """The NPM's coordinator opens a cooperation for joint visits; each side adds its people.

    second is a second CSO, of whose people Samira and Henrik take part.
    """
    page = demo_people["Ilena"].page
    page.goto("/cooperations/open")
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Purpose").fill("To see together whether safeguards in custody are kept.")
    for partner in filter(None, (CSO, second)):
        page.get_by_label(partner).check()
    page.get_by_label(re.compile("Joint monitoring visit")).check()
    page.get_by_role("button", name="Continue to the questions").click()
    page.get_by_role("button", name="Open the cooperation").click()
    demo_people["Ilena"].expect_told(" is open.")
    demo_people.reference = (page.locator(".ref").first.text_content() or "").strip()
    sides = [
        ("Ilena", ("Tomas", "Milan", "Nadia", "Pavo", "Ruth")),
        ("Joana", ("Otto", "Leyla", "Joana")),
    ]
    if second:
        sides.append(("Samira", ("Henrik", "Samira")))
    for coordinator, names in sides:
        mine = demo_people[coordinator].page
        mine.goto(f"/cooperations/{demo_people.reference}/people/add")
        for name in names:
            mine.get_by_label(demo_people[name].name).check()
        mine.get_by_role("button", name="Add").click()
        demo_people[coordinator].expect_told("now take part.")


def checklist_address(demo_people: DemoPeople, person: str, title: str) -> str:
    """Return where a checklist of the cooperation is, by following the person's own links."""
    page = demo_people[person].page
    page.goto(f"/cooperations/{demo_people.reference}")
    link = page.get_by_role("link", name=re.compile(title)).first
    return (link.get_attribute("href") or "").split("?")[0].split("#")[0]


def complete(
    demo_people: DemoPeople, address: str, facts: dict[str, Facts], *, begun: Iterable[str] = ()
) -> None:
    """Each side answers its items; then each accepts what the others wrote.

    The first person also continues the items that were begun elsewhere. In the short form they
    write in their browsers the items that the facts name and one more, accept one, and the services
    do the rest.
    """
    setter = next(iter(facts))
    for code in begun:
        demo_people[setter].page.goto(f"{address}/items/{code}/answer")
        answer(demo_people[setter].page, code, facts[setter])
    for name, known in facts.items():
        _answer_all(demo_people[name].page, address, known)
    for name in facts:
        _accept_all(demo_people[name].page, address)
    if not is_long():
        _complete_rest(demo_people, address, facts)


def begin_with_model_text(page: Page, address: str) -> None:
    """Begin an empty checklist with the model text that comes with the product."""
    page.goto(address)
    page.get_by_role("link", name="Choose how to begin").click()
    page.get_by_role("button", name="Begin with the text in English").click()
    expect(page.locator(".flashes")).to_contain_text("the model text now")


def agree_in_turn(demo_people: DemoPeople, address: str, facts: dict[str, Facts]) -> None:
    """Each side decides what is left to it, and then reads and accepts the text straight away.

    That is enough if nobody has to accept what the others write of themselves.
    """
    for name, known in facts.items():
        page = demo_people[name].page
        if not page.url.endswith("/decide"):
            page.goto(f"{address}/decide")
        if page.get_by_role("button", name="Save what is decided").count():
            decide_together(page, known)
        _accept_draft(page, address, is_open=True)


def agree(demo_people: DemoPeople, address: str, facts: dict[str, Facts]) -> None:
    """Each side decides on one page what a text leaves open, and then reads and accepts it all."""
    for name, known in facts.items():
        page = demo_people[name].page
        if not page.url.endswith("/decide"):
            page.goto(f"{address}/decide")
        if page.get_by_role("button", name="Save what is decided").count():
            decide_together(page, known)
    last = list(facts)[-1]
    for name in facts:
        page = demo_people[name].page
        # The others have filled it in meanwhile.
        is_open = name == last and page.url.endswith("/read")
        _accept_draft(page, address, is_open=is_open)


def settle_both(page: Page, facts: Facts) -> None:
    """Fill in what both texts of a visit leave open, and read and accept each, page after page."""
    for _text in range(2):
        while page.get_by_role("button", name="Save what is decided").count():
            decide_together(page, facts)
        waiting = page.locator("section[aria-labelledby=write-h] a")
        if waiting.count():
            waiting.first.click()
            page.wait_for_url(re.compile("/items/"))
        if written := re.search(r"/items/([A-Z]\d+)/answer", page.url):
            decide(page, written[1], facts)
        if not page.url.endswith("/read"):
            page.get_by_role("link", name="Read the draft").click()
        _accept_draft(page, "", is_open=True)


def _accept_draft(page: Page, address: str, *, is_open: bool = False) -> None:
    if not is_open:
        page.goto(f"{address}/read")
    page.get_by_role("button", name="I have read it all").click()
    expect(page.locator(".flashes")).to_contain_text("You accepted")


def _answer_all(page: Page, address: str, facts: Facts) -> None:
    page.goto(address)
    # An item may have two: what all parties agree on, and what each says about itself.
    links = [
        (link_to.split("/items/")[1].split("/")[0], link_to)
        for link in page.locator("main a")
        .filter(has_text=re.compile("^(Write an answer|Write our own|Change our own row)"))
        .all()
        if (link_to := link.get_attribute("href"))
    ]
    others = list(dict.fromkeys(code for code, _link in links if code not in facts.wanted))
    left_out = others[SOME_MORE:] if not is_long() else []
    for code, link in links:
        if code not in left_out:
            page.goto(link)
            answer(page, code, facts)


def _complete_rest(demo_people: DemoPeople, address: str, names: Iterable[str]) -> None:
    with opened(demo_people.live.data_dir):
        checklist = db.session.get_one(Checklist, UUID(address.rpartition("/")[2]))
        people = sa.select(User).where(User.email.in_([demo_people[name].email for name in names]))
        actors = [acting_today(user) for user in db.session.scalars(people)]
        by_body = {actor.organisation_id: actor for actor in actors if actor.organisation_id}
        complete_answers(load(checklist), by_body, recommended=True)
        db.session.commit()


def _accept_all(page: Page, address: str) -> None:
    """Accept each section as it reads, then the items that were left out there."""
    words = re.compile("^(Accept all of|I have read) this section")
    sections = page.get_by_role("button", name=words)
    page.goto(f"{address}/read")
    waiting = sections.count()
    by_hand = waiting if is_long() else min(waiting, SOME_MORE)
    for left in range(waiting, waiting - by_hand, -1):
        sections.first.click()
        expect(sections).to_have_count(left - 1)
    if not is_long():
        return
    page.goto(f"{address}?filter=us")
    for kind, button in (("/accept", "^Accept "), ("/copies/read", "^I have read it")):
        forms = page.locator(f"article.item-line form[action*='{kind}']")
        for code in forms.evaluate_all("forms => forms.map(form => form.closest('article').id)"):
            page.goto(f"{address}?filter=us&open={code.upper()}")
            page.locator(f"#{code}").get_by_role("button", name=re.compile(button)).first.click()
        expect(forms).to_have_count(0)


def send_and_sign(demo_people: Company, address: str, sender: str, signers: Iterable[str]) -> None:
    """Send a text for signature, and have each signatory read, check and sign it."""
    send(demo_people, address, sender)
    sign(demo_people, address, signers)


def sign(demo_people: Company, address: str, signers: Iterable[str]) -> None:
    """Have each signatory read, check and sign a text that was sent."""
    for name in signers:
        mine = demo_people[name].page
        mine.goto(f"{address}/sign")
        mine.get_by_role("link", name="Continue to sign").click()
        demo_people[name].prove_and(re.compile("^Sign for"), "You signed.")


def send(demo_people: Company, address: str, sender: str) -> None:
    """Send a text for signature."""
    demo_people[sender].page.goto(f"{address}/send")
    send_here(demo_people, sender)


def send_here(demo_people: Company, sender: str) -> None:
    """Send the text for signature on whose page for sending the person is."""
    page = demo_people[sender].page
    expect(page.get_by_role("heading", level=1)).to_have_text("Send for signature")
    notices = page.locator("main .notice:not(.flashes .notice)")
    obstacles = notices.filter(has_not_text="Undertakings are signed again.").all_inner_texts()
    assert obstacles == [], obstacles
    for group in page.locator("main form fieldset:has(input[type=radio])").all():
        group.locator("input[type=radio]").first.check()
    page.get_by_role("button", name="Send for signature").click()
    demo_people[sender].expect_told("The text is frozen and sent.")


def sign_together(demo_people: Company, name: str, count: int) -> None:
    """A signatory reads all texts that wait for them and signs them with one proof of identity."""
    page = demo_people[name].page
    page.goto(f"/cooperations/{demo_people.reference}/sign")
    for box in page.locator("main form input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="Continue to sign").click()
    demo_people[name].prove_and(
        re.compile(f"^Sign {count} texts for"), f"You signed {count} texts."
    )


def give_telephone(demo_people: Company, name: str) -> None:
    """Somebody gives their telephone number in their account."""
    page = demo_people[name].page
    page.goto("/account")
    page.locator("input[name=telephone]").fill("+000 555 010")
    page.get_by_role("button", name="Save").first.click()
    demo_people[name].expect_told("saved")


def undertake(
    demo_people: Company,
    name: str,
    countersigner: str,
    *,
    interests: str = "",
    by_mail: bool = False,
) -> None:
    """A listed person reads why, declares, confirms and signs; the NPM decides and countersigns.

    by_mail: each follows the link of their email, instead of looking for it in a list.
    """
    person = demo_people[name]
    page = person.page
    if by_mail:
        page.goto(mailed_link(person.live, person.email, "/undertakings/"))
    else:
        page.goto("/undertakings")
        page.get_by_role("link", name=re.compile(TITLE)).first.click()
    expect(page.get_by_role("button", name="Continue to sign")).to_be_visible()
    fill_in_undertaking(page, interests)
    page.get_by_role("button", name="Continue to sign").click()
    demo_people[name].prove_and("Sign in your own name", "You have signed.")
    number = page.url.rpartition("/")[2].partition("?")[0]
    countersign(
        demo_people, demo_people[name].name, countersigner, mailed=number if by_mail else ""
    )


def countersign(demo_people: Company, name: str, countersigner: str, *, mailed: str = "") -> None:
    """Somebody who decides for the NPM accepts a person's interests, and countersigns.

    mailed is the id of the undertaking, if they follow the link of their email.
    """
    npm = demo_people[countersigner].page
    if mailed:
        path = f"/cooperations/{demo_people.reference}/undertakings/{mailed}"
        npm.goto(
            mailed_link(demo_people[countersigner].live, demo_people[countersigner].email, path)
        )
    else:
        npm.goto(f"/cooperations/{demo_people.reference}/undertakings")
        npm.get_by_role("link", name=name, exact=True).click()
    # Also if the person's organisation has an interest, whatever they declared.
    steps = re.compile("^(Record the decision|Continue to countersign)$")
    expect(npm.get_by_role("button", name=steps).first).to_be_visible()
    accept = npm.get_by_label(re.compile("^Accept"))
    if accept.count():
        accept.check()
        npm.get_by_role("button", name="Record the decision").click()
        demo_people[countersigner].expect_told(
            "The decision is recorded, and the person is notified."
        )
    npm.get_by_role("button", name="Continue to countersign").click()
    demo_people[countersigner].prove_and(re.compile("^Countersign"), "You have countersigned.")


def fill_in_undertaking(page: Page, interests: str = "") -> None:
    """Confirm every point and today's briefing, and declare interests."""
    for box in page.locator("main form input[type=checkbox]").all():
        box.check()
    briefed_on = page.locator("input[name=briefed_on]")
    if briefed_on.count():
        briefed_on.fill(Facts().today.isoformat())
    page.locator(f"input[name=has_interests][value={'declared' if interests else 'none'}]").check()
    if interests:
        page.locator("textarea[name=interests]").fill(interests)


TEAM = ("Pavo", "Ruth", "Leyla")
# Who may know beside those who always do, and the team.
AUDIENCE = ("Tomas", "Joana", "Otto")
PLACE = "Lower Harbour police station"


def visit_day(number: int) -> dt.date:
    """Return the day of a visit."""
    return Facts().today + dt.timedelta(days=20 * number)


def plan_visit(
    demo_people: DemoPeople, number: int = 1, *, tasks: Mapping[str, str] | None = None
) -> str:
    """The coordinator plans a visit: kind, place, days, team, who may know. Return its address.

    tasks says who takes which; None if the texts of the visit are begun later.
    """
    page = demo_people["Ilena"].page
    page.goto(f"/cooperations/{demo_people.reference}/visits/plan")
    page.locator("input[name=kind]").first.check()
    page.locator("input[name=place_type][value=police]").check()
    page.get_by_label("Place", exact=True).fill(PLACE)
    first = visit_day(number)
    page.locator("input[name=starts_on]").fill(first.isoformat())
    page.locator("input[name=announced]").first.check()
    _pick(page, "lead_id", demo_people["Pavo"].name)
    _pick(page, "deputy_id", demo_people["Ruth"].name)
    # Lead and deputy are on the team anyway.
    _pick_rows(page, "members", [demo_people[name].name for name in TEAM[2:]], words=tasks is None)
    gaps = page.locator("textarea[name=gaps]")
    if gaps.count():
        gaps.fill("None for a place of this size.")
    page.get_by_label("Let everyone on the team know the place and dates").check()
    _pick_rows(page, "audience", [demo_people[name].name for name in AUDIENCE])
    if tasks is None:
        page.get_by_label("I'll choose later").check()
    else:
        # Otherwise the visit is ready only once the day of the briefing has come.
        page.locator("input[name=briefing]").fill(Facts().today.isoformat())
    for task, person in (tasks or {}).items():
        _pick(page, task, demo_people[person].name)
    page.get_by_role("button", name="Plan the visit").click()
    demo_people["Ilena"].expect_told(f"Joint visit {number} is planned.")
    return f"{page.url.partition('/c')[0]}/cooperations/{demo_people.reference}/visits/{number}"


def _pick(page: Page, name: str, words: str) -> None:
    select = page.locator(f"select[name={name}]")
    value = select.locator("option", has_text=words).first.get_attribute("value")
    select.select_option(value)


def _pick_rows(page: Page, name: str, people: list[str], *, words: bool = True) -> None:
    """Choose people one by one in a table, or tick them in a list, as the page offers.

    words fills in what else the page asks about each.
    """
    table = page.locator(f"fieldset#{name}.rows")
    for number, person in enumerate(people):
        if not table.count():
            page.locator(f"#{name} label, [id^={name}] ~ label", has_text=person).first.click()
            continue
        rows = table.locator("tbody > tr")
        while rows.count() <= number:
            before = rows.count()
            table.get_by_role("button", name="Add a row").click()
            expect(rows).to_have_count(before + 1)
        row = rows.nth(number)
        select = row.locator("select").first
        value = select.locator("option", has_text=person).first.get_attribute("value")
        select.select_option(value)
        for control in row.locator("input[type=text], textarea").all() if words else ():
            control.fill("As needed")


def address_of_checklist(demo_people: DemoPeople, visit: str, title: str) -> str:
    """Return where a checklist of a visit is, by following the coordinator's link."""
    page = demo_people["Ilena"].page
    page.goto(visit)
    link = page.get_by_role("link", name=re.compile(title)).first
    return (link.get_attribute("href") or "").split("?")[0].split("#")[0]


def take_part(demo_people: Company, visit: str, button: str, message: str) -> None:
    """Have each member of the team press a button on the page of their own part."""
    for name in TEAM:
        page = demo_people[name].page
        page.goto(f"{visit}/my-part")
        page.get_by_role("button", name=button).click()
        demo_people[name].expect_told(message)
        expect(page.get_by_role("button", name=button)).to_have_count(0)
