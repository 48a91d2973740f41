"""The guidance of an instance: edited with a preview, published, updated by shipped texts.

In one file: one article, edited, published and shipped over.
"""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People
from tests.factories.authoring import (
    ARTICLE,
    changed,
    current_of,
    edited,
    publish_edited,
    revisions_of,
    ship,
    shipped_content,
)
from tests.factories.demonstration import Demonstration
from tests.factories.guidance import uses_of
from tests.integration.authoring.conftest import BrowserOf, events
from tests.pages import Page
from tests.writing import write_during
from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.authoring import pages
from tracker.authoring.checklists import service as authoring
from tracker.authoring.facts import ArticleWords
from tracker.authoring.guidance import service as guidance_editing
from tracker.core import clock, paths
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.guidance import library, markdown, service
from tracker.guidance import queries as guidance
from tracker.guidance.library import digest_of
from tracker.guidance.models import ArticleOrigin
from tracker.search import service as search

HOME = "/administration/guidance"
PLACE = f"{HOME}/{ARTICLE}/en"
EDIT = f"{PLACE}/edit"
# Words of the shipped article, and their replacement.
OLD, NEW = "three short lists", "three plain lists"
HEADING = "## Say what you expect before you start {#expectations S1 S2 S3}"


def mistakes(people: People, words: ArticleWords) -> list[str]:
    with pytest.raises(ContentError) as caught:
        guidance_editing.publish(
            people.actor("ada"), ARTICLE, "en", words, seen_revision=4, reason="So"
        )
    people.session.rollback()
    return [f"{mistake.line}: {mistake.message}" for mistake in caught.value.mistakes]


def search_hits(typed: str) -> list[str]:
    return [hit.key for hit in search.find(typed, [service.ARTICLE])]


# Publishing ------------------------------------------------------------------------------------


def test_an_edited_text_becomes_the_next_revision_and_the_earlier_one_stays(
    people: People, session: Session
) -> None:
    shipped = current_of()
    row = publish_edited(people.actor("ada"), OLD, NEW)
    assert (row.revision, row.is_current, row.origin) == (5, True, ArticleOrigin.EDITED)
    assert (row.author, row.reason) == ("Ada Marsh", "Local practice")
    assert (row.revised_on, row.shipped_revision) == (clock.today(), None)
    assert (row.source_url, row.category) == (shipped.source_url, shipped.category)
    rows = revisions_of()
    assert [(revision.revision, revision.is_current) for revision in rows] == [
        (5, True),
        (4, False),
    ]
    assert OLD in rows[1].passages[0].markdown
    assert [passage.key for passage in rows[0].passages] == [
        passage.key for passage in rows[1].passages
    ]
    details = events(session, "article_published")[-1]
    assert (details["name"], details["version"], details["base"]) == (f"{ARTICLE} (en)", 5, 4)
    assert (details["digest"], details["reason"]) == (row.digest, "Local practice")


def test_an_edited_revision_has_the_digest_of_its_file(people: People) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    assert current_of().digest == digest_of(guidance_editing.file_of(current_of()))


def test_items_follow_the_passage_they_are_paired_with(people: People) -> None:
    uses = uses_of(ARTICLE)["expectations"]
    publish_edited(people.actor("ada"), OLD, NEW)
    assert uses_of(ARTICLE)["expectations"] == uses
    ref = f"{ARTICLE}/expectations"
    assert NEW in guidance.passages_for([ref])[ref].markdown


def test_the_search_finds_the_words_of_now(people: People) -> None:
    publish_edited(people.actor("ada"), OLD, "three zebra lists")
    assert search_hits("zebra") == [ARTICLE]
    publish_edited(people.actor("ada"), "three zebra lists", NEW)
    assert search_hits("zebra") == []


def test_required_content_stays_and_unseen_changes_are_refused(people: People) -> None:
    for old, new, mistake in [
        ("{#expectations S1 S2 S3}", "{#hopes S1 S2 S3}", "1: the passage expectations must stay"),
        ("{#independence S6 S7}", "{#independence S6}", "S7 is a must of the source"),
        ("{#independence S6 S7}", "{#independence S6}", "this passage must carry S7: needed by M"),
        ("{#expectations S1 S2 S3}", "{#expectations S1 S2 S3 S3}", "S3 is there twice"),
        ("{#expectations S1 S2 S3}", "{#expectations S1 S2 S3 S24}", "S24 belongs to the article"),
        ("{#expectations S1 S2 S3}", "", "this heading isn't one that begins a passage"),
        (OLD, "<script>alert(1)</script>", "HTML isn't shown"),
        (OLD, "[x](javascript:y)", "needs a whole address"),
    ]:
        assert any(mistake in message for message in mistakes(people, edited(old, new))), mistake
        assert current_of().revision == 4, mistake


def test_a_mistake_names_the_line_of_its_passage(people: People) -> None:
    words = edited("{#independence S6 S7}", "{#independence S6}")
    line = next(n for n, line in enumerate(words.body.splitlines(), 1) if "#independence" in line)
    found_there = [
        message for message in mistakes(people, words) if message.startswith(f"{line}: ")
    ]
    assert any("S7 is a must of the source" in message for message in found_there)


def test_the_newest_shipped_text_is_compared_as_well(people: People, session: Session) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    passage = next(passage for passage in current_of().passages if passage.key == "independence")
    passage.statements = ["S6"]
    session.commit()
    # As if an edit had lost a must: the next one brings it back.
    words = edited(NEW, OLD)
    with pytest.raises(ContentError, match="S7 is a must of the source"):
        guidance_editing.check(guidance_editing.read(words, ARTICLE), revisions_of())


def test_a_passage_may_be_added(people: People) -> None:
    row = publish_edited(
        people.actor("ada"), HEADING, f"## Our own way {{#own-way}}\n\nWe meet first.\n\n{HEADING}"
    )
    assert [passage.key for passage in current_of().passages][:2] == ["own-way", "expectations"]
    assert row.revision == 5


def test_the_head_must_have_its_words_and_its_place(people: People) -> None:
    heads: list[tuple[dict[str, object], str]] = [
        ({"question": ""}, "question"),
        ({"question": "x" * 301}, "question"),
        ({"summary": ""}, "summary"),
        ({"category": "nothing"}, "category"),
        ({"topics": ()}, "topics"),
        ({"topics": ("nothing",)}, "topics"),
        ({"topics": ("finances", "finances")}, "topics"),
    ]
    for head, field in heads:
        with pytest.raises(RuleBrokenError) as caught:
            guidance_editing.read(edited(OLD, NEW, **head), ARTICLE)
        assert caught.value.field == field, head


def test_a_text_has_an_end(people: People) -> None:
    with pytest.raises(ContentError, match="longer than 50000 characters"):
        guidance_editing.read(edited(OLD, "x" * 50_000), ARTICLE)


def test_the_same_text_and_no_reason_are_no_revision(people: People) -> None:
    ada = people.actor("ada")
    words = guidance_editing.words_of(current_of())
    with pytest.raises(RuleBrokenError, match="says the same as revision 4"):
        guidance_editing.publish(ada, ARTICLE, "en", words, seen_revision=4, reason="So")
    with pytest.raises(RuleBrokenError, match="Give the reason") as caught:
        guidance_editing.publish(ada, ARTICLE, "en", edited(OLD, NEW), seen_revision=4, reason="  ")
    assert caught.value.field == "reason"


def test_two_simultaneous_editors_do_not_overwrite_each_other(people: People) -> None:
    words = edited(OLD, "three other lists")
    publish_edited(people.actor("ada"), OLD, NEW)
    for seen in (4, None, 6):
        with pytest.raises(StaleError):
            guidance_editing.publish(
                people.actor("ada"), ARTICLE, "en", words, seen_revision=seen, reason="So"
            )
        people.session.rollback()
    assert [row.revision for row in revisions_of()] == [5, 4]


def test_only_administrators_publish_and_decide(people: People, tmp_path: Path) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    ship(shipped_content(tmp_path / "content", 5, OLD, "three shipped lists"))
    acts: tuple[Callable[[Actor], object], ...] = (
        lambda actor: guidance_editing.publish(
            actor, ARTICLE, "en", edited(NEW, OLD), seen_revision=5, reason="So"
        ),
        lambda actor: guidance_editing.use_shipped(actor, ARTICLE, "en", 5, reason="So"),
        lambda actor: guidance_editing.pass_over(actor, ARTICLE, "en", 5, reason="So"),
    )
    for key in ("ilena", "nadia", "samira"):
        actor = people.actor(key)
        for act in acts:
            with pytest.raises(RefusedError, match="Only administrators"):
                act(actor)
            people.session.rollback()
        assert revisions_of()[0].waits, key


# Shipped over an edited text (adr 21) ----------------------------------------------------------


def test_a_shipped_revision_waits_while_the_text_was_edited_here(
    people: People, tmp_path: Path
) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    folder = shipped_content(tmp_path / "content", 5, OLD, "three shipped lists")
    assert ship(folder) == [
        f"article {ARTICLE} (en), revision 6; it waits, since the article was edited here"
    ]
    waiting, current, _first = revisions_of()
    assert (waiting.revision, waiting.shipped_revision, waiting.waits) == (6, 5, True)
    assert (current.revision, current.is_current, waiting.is_current) == (5, True, False)
    assert search_hits("shipped lists") == []
    # The next start finds nothing new.
    assert ship(folder) == []
    # Another text under the same number is a mistake; one under the next number waits instead of
    # it.
    with pytest.raises(ContentError, match="the text differs from revision 5"):
        ship(shipped_content(folder, 5, "three shipped lists", "other lists"))
    ship(shipped_content(folder, 6))
    assert [(row.revision, row.waits) for row in revisions_of()][:2] == [(7, True), (6, False)]
    assert current_of().revision == 5


def test_a_start_after_an_update_says_that_a_shipped_text_waits(
    app: Flask, people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    folder = shipped_content(tmp_path / "content", 5, OLD, "three shipped lists")
    monkeypatch.setattr(paths, "CONTENT", folder)
    people.session.rollback()
    done = app.test_cli_runner().invoke(args=["content", "load"])
    assert done.exit_code == 0, done.output
    assert "revision 6; it waits, since the article was edited here" in done.output
    assert NEW in current_of().passages[0].markdown


def test_only_administrators_see_pending_revisions(
    people: People, client: CheckedClient, browser_of: BrowserOf, tmp_path: Path
) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    ship(shipped_content(tmp_path / "content", 5, OLD, "three shipped lists"))
    assert client.get(f"/guidance/{ARTICLE}/revisions/6").status_code == 404
    page = client.page(f"/guidance/{ARTICLE}")
    assert "Revision 5" not in page.text
    assert "Here, by the people who run this instance" in page.text
    assert "Ada Marsh" not in page.html
    ada = browser_of("ada")
    assert "three shipped lists" in ada.page(f"{PLACE}/6").text
    assert "Decide on a shipped revision" in ada.page("/").text
    assert "Decide on a shipped revision" not in browser_of("ilena").page("/").text


def test_the_shipped_text_is_used_and_the_edited_one_stays_to_be_read(
    people: People, session: Session, tmp_path: Path
) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    folder = shipped_content(tmp_path / "content", 5, OLD, "three shipped lists")
    ship(folder)
    row = guidance_editing.use_shipped(people.actor("ada"), ARTICLE, "en", 6, reason="Better words")
    session.commit()
    assert (row.is_current, row.waits, row.reason) == (True, False, "Better words")
    assert [(revision.revision, revision.is_current) for revision in revisions_of()] == [
        (6, True),
        (5, False),
        (4, False),
    ]
    assert search_hits("three shipped lists") == [ARTICLE]
    assert events(session, "article_published")[-1]["base"] is None
    # From now on shipped revisions are used immediately again.
    assert ship(folder) == []
    ship(shipped_content(folder, 6, "three shipped lists", "three last lists"))
    assert (current_of().shipped_revision, current_of().waits) == (6, False)


def test_the_edited_text_is_kept_until_the_next_one_is_shipped(
    people: People, session: Session, tmp_path: Path
) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    folder = shipped_content(tmp_path / "content", 5, OLD, "three shipped lists")
    ship(folder)
    ada = people.actor("ada")
    guidance_editing.pass_over(ada, ARTICLE, "en", 6, reason="Ours is better")
    session.commit()
    assert (current_of().revision, revisions_of()[0].waits) == (5, False)
    assert events(session, "article_passed_over")[-1]["version"] == 6
    with pytest.raises(RefusedError, match="that is waiting"):
        guidance_editing.pass_over(ada, ARTICLE, "en", 6, reason="Again")
    session.rollback()
    assert ship(folder) == []
    ship(shipped_content(folder, 6, "three shipped lists", "three last lists"))
    assert revisions_of()[0].waits
    # A revision that was not used can still be used later, while it is the newest.
    guidance_editing.use_shipped(ada, ARTICLE, "en", 7, reason="After all")
    session.commit()
    assert current_of().revision == 7


def test_a_text_made_from_the_shipped_one_decides_on_it(
    people: People, session: Session, tmp_path: Path
) -> None:
    ada = people.actor("ada")
    publish_edited(ada, OLD, NEW)
    ship(shipped_content(tmp_path / "content", 5, OLD, "three shipped lists"))
    for made_from, waits in ((5, True), (6, False)):
        guidance_editing.publish(
            ada,
            ARTICLE,
            "en",
            edited("three", "four" if waits else "five"),
            seen_revision=current_of().revision,
            made_from=made_from,
            reason="Both in one",
        )
        session.commit()
        row = next(revision for revision in revisions_of() if revision.revision == 6)
        assert row.waits is waits


def test_only_the_newest_shipped_text_is_used(people: People, session: Session) -> None:
    ada = people.actor("ada")
    publish_edited(ada, OLD, NEW)
    with pytest.raises(RefusedError, match="already current"):
        guidance_editing.use_shipped(ada, ARTICLE, "en", 5, reason="So")
    session.rollback()
    with pytest.raises(RuleBrokenError, match="That revision doesn't exist"):
        guidance_editing.use_shipped(ada, ARTICLE, "en", 9, reason="So")
    session.rollback()
    guidance_editing.use_shipped(ada, ARTICLE, "en", 4, reason="Back to it")
    session.commit()
    assert current_of().revision == 4
    with pytest.raises(RefusedError, match="newest revision from an update"):
        guidance_editing.use_shipped(ada, ARTICLE, "en", 5, reason="So")


def test_an_article_that_was_edited_stays_when_its_file_is_gone(
    people: People, tmp_path: Path
) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    folder = shipped_content(tmp_path / "content", 4)
    for language in ("en", "ar"):
        (folder / "guidance" / language / f"{ARTICLE}.md").unlink()
    text = (folder / "statements.yaml").read_text()
    (folder / "statements.yaml").write_text(
        re.sub(rf"article: {ARTICLE}$", "article: ways-of-working", text, flags=re.MULTILINE)
    )
    withdrawn = [line for line in ship(folder) if "withdrawn" in line]
    assert withdrawn == [f"article {ARTICLE} (ar), withdrawn"]
    assert current_of().revision == 5


# The guidance of its day -----------------------------------------------------------------------


def test_a_signed_agreement_still_shows_the_guidance_of_its_day(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    terms = demonstration.checklists["complete", "terms"]
    user = demonstration.users["iris"]
    ada = Actor(user_id=user, name="Iris", memberships=accounts.memberships_of(user, clock.today()))
    publish_edited(ada, OLD, NEW)
    ilena = demonstration.browser(app, "ilena")
    page = ilena.page(f"/checklists/{terms}/record")
    address = page.links()[f"{ARTICLE} (English)"]
    assert address == f"/guidance/{ARTICLE}/revisions/4?language=en"
    of_its_day = ilena.page(address)
    assert OLD in of_its_day.text
    assert "This revision is not current." in of_its_day.text
    now = ilena.page(of_its_day.links()["Read the current revision, number 5"])
    assert NEW in now.text
    # An edit begun now is compared with the current text.
    draft = demonstration.checklists["differing", "terms"]
    assert NEW in ilena.page(f"/checklists/{draft}").text


# Pages -----------------------------------------------------------------------------------------


def test_the_whole_way_from_writing_to_published(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    page = ada.page(HOME)
    question = current_of().question
    assert page.links()[question] == f"{PLACE}/4"
    assert ada.page(f"{PLACE}/4").links()["Edit"] == EDIT
    words = edited(OLD, "three **plain** lists")
    previewed = Page.of(ada.submit(EDIT, text=words.body, step="preview"))
    assert "Differences from revision 4" in previewed.text
    assert "<strong>plain</strong>" in previewed.html
    assert current_of().revision == 4
    sent = previewed.form().filled_in(reason="Asked for", step="publish")
    done = Page.of(ada.post(EDIT, data=sent, csrf=False, follow_redirects=True))
    assert "Revision 5 is now current." in done.text
    assert done.h1 == f"{question} (revision 5)"
    assert "Asked for" in done.text
    assert "Ada Marsh" in done.text
    assert current_of().topics == revisions_of()[1].topics


def test_a_text_that_was_not_previewed_cannot_be_published(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    first = Page.of(ada.submit(EDIT, text=edited(OLD, NEW).body, step="preview"))
    changed = edited(OLD, "three unseen lists").body
    sent = first.form().filled_in(text=changed, reason="So", step="publish")
    page = Page.of(ada.post(EDIT, data=sent, csrf=False))
    assert "The text was changed since its preview." in page.text
    assert current_of().revision == 4
    sent = page.form().filled_in(step="publish")
    assert ada.post(EDIT, data=sent, csrf=False).status_code == 303
    assert "three unseen lists" in current_of().passages[0].markdown


def test_a_reason_is_required_and_nothing_typed_is_lost(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    page = Page.of(ada.submit(EDIT, text=edited(OLD, NEW).body, step="preview"))
    sent = page.form().filled_in(step="publish")
    page = Page.of(ada.post(EDIT, data=sent, csrf=False))
    assert "Give the reason." in page.text
    assert NEW in page.form().values["text"][0]
    assert current_of().revision == 4


def test_mistakes_are_shown_beside_the_text_with_their_lines(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    text = edited("{#independence S6 S7}", "{#free S6}").body
    page = Page.of(ada.submit(EDIT, text=text, step="preview"))
    assert "mistakes in the text" in page.text
    assert "the passage independence must stay, with its key: needed by M1, M5" in page.text
    assert "Line 1: S7 is a must of the source" in page.text
    assert page.form().values["text"][0] == text
    assert "Preview" not in page.text


def test_a_preview_shows_nothing_that_runs(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    for hostile in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://a.example/x.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,x)",
    ]:
        page = Page.of(ada.submit(EDIT, text=edited(OLD, hostile).body, step="preview"))
        assert "mistake" in page.text, hostile
        assert hostile in page.form().values["text"][0], hostile
        for element in page.root.iter():
            assert "onerror" not in element.attrib, hostile
            assert element.attrib.get("href", "").split(":")[0] not in {"javascript", "data"}, (
                hostile
            )
    odd = edited(OLD, "`<b>` & \\<i\\> {{ 7*7 }}").body
    shown = Page.of(ada.submit(EDIT, text=odd, step="preview"))
    assert "<code>&lt;b&gt;</code> &amp; &lt;i&gt; {{ 7*7 }}" in shown.html


def test_somebody_elses_publication_is_shown_beside_ones_own_text(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    page = Page.of(ada.submit(EDIT, text=edited(OLD, "three late lists").body, step="preview"))
    sent = page.form().filled_in(reason="Mine", step="publish")
    publish_edited(people.actor("ada"), OLD, NEW)
    page = Page.of(ada.post(EDIT, data=sent, csrf=False))
    assert "Another revision became current while you were writing." in page.text
    assert "Differences from revision 5" in page.text
    assert "three late lists" in page.form().values["text"][0]
    assert page.form().values["reason"] == ["Mine"]
    assert current_of().revision == 5
    sent = page.form().filled_in(step="publish")
    assert ada.post(EDIT, data=sent, csrf=False).status_code == 303
    assert [row.revision for row in revisions_of()] == [6, 5, 4]
    assert "three late lists" in current_of().passages[0].markdown


def send_file(ada: CheckedClient, text: bytes) -> Page:
    sent: dict[str, object] = {
        name: values[0] for name, values in ada.page(EDIT).form().filled_in(step="preview").items()
    }
    response = ada.post(
        EDIT,
        data={**sent, "file": (io.BytesIO(text), "settling-terms.md")},
        content_type="multipart/form-data",
        csrf=False,
    )
    return Page.of(response)


def test_a_downloaded_file_is_changed_and_sent_back(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    response = ada.get(f"{PLACE}/4/file")
    assert response.mimetype == "text/markdown"
    assert f"{ARTICLE}-en-4.md" in response.headers["Content-Disposition"]
    assert f"\nslug: {ARTICLE}\n" in response.text
    text = response.text.replace(OLD, NEW).replace("summary: What", "summary: All that", 1)
    page = send_file(ada, text.encode())
    assert NEW in page.form().values["text"][0]
    assert page.form().values["summary"][0].startswith("All that both sides agree")
    assert "Summary" in page.text
    assert current_of().revision == 4
    sent = page.form().filled_in(reason="From the file", step="publish")
    assert ada.post(EDIT, data=sent, csrf=False).status_code == 303
    assert current_of().summary.startswith("All that both sides agree")


def test_others_can_write_while_a_text_is_parsed_and_previewed(
    people: People, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = browser_of("ada")
    text = ada.get(f"{PLACE}/4/file").text.replace(OLD, NEW)
    calls = write_during(
        monkeypatch,
        (library, "read_file"),
        (library, "read_body"),
        (markdown, "headings"),
        (library, "plain_text"),
        (pages, "text_view"),
    )
    page = send_file(ada, text.encode())
    assert calls == ["read_file", "read_body", "headings", "headings", "plain_text", "text_view"]
    sent = page.form().filled_in(reason="From the file", step="publish")
    assert ada.post(EDIT, data=sent, csrf=False).status_code == 303
    assert NEW in current_of().passages[0].markdown


def test_a_file_that_is_no_article_is_refused_in_words(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    for text, words in [
        (b"\xff\xfe\x00", "This file isn't UTF-8 text."),
        (b"---\nslug: x\n---\nText", "question is missing"),
        (b"---\n" + b"[" * 50_000 + b"\n---\nText", "nested too deeply"),
        (b"Only words.", "the article has no passage"),
    ]:
        assert words in send_file(ada, text).text, words


def test_the_file_of_another_article_is_refused(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    other = ada.get(f"{HOME}/ways-of-working/en/2/file").text
    assert "this is the file of ways-of-working (en)" in send_file(ada, other.encode()).text


def test_any_two_revisions_are_compared(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    publish_edited(people.actor("ada"), OLD, NEW)
    publish_edited(people.actor("ada"), NEW, "three last lists")
    page = ada.page(f"{PLACE}/6")
    assert "Differences from revision 5" in page.text
    assert "Differences from revision 4" in ada.page(f"{PLACE}/6?with=4").text
    assert "Differences from revision 5" in ada.page(f"{PLACE}/6?with=77").text
    assert "There is no other revision to compare with." not in page.text
    # An older text is the start of a new one.
    assert "You started from revision 4." in ada.page(f"{EDIT}?from=4").text
    assert OLD in ada.page(f"{EDIT}?from=4").form().values["text"][0]


def test_an_administrator_decides_on_what_was_shipped(
    people: People, browser_of: BrowserOf, tmp_path: Path
) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    folder = shipped_content(tmp_path / "content", 5, OLD, "three shipped lists")
    ship(folder)
    ada = browser_of("ada")
    assert "Revision 6 came with an update: decide what to do with it" in ada.page(HOME).text
    page = ada.page(f"{PLACE}/6")
    assert "This revision came with an update after the article had been edited here." in page.text
    assert "Differences from revision 5" in page.text
    refused = Page.of(ada.submit(f"{PLACE}/6/pass-over", reason=" "))
    assert "There is a problem" in refused.text
    done = Page.of(ada.submit(f"{PLACE}/6/pass-over", reason="Ours fits better"))
    assert "The text edited here stays current." in done.text
    assert ada.get(f"{PLACE}/6/pass-over").status_code == 403
    done = Page.of(ada.submit(f"{PLACE}/6/use", reason="After all"))
    assert "Revision 6 is now current." in done.text
    assert ada.get(f"{PLACE}/6/use").status_code == 403
    assert current_of().revision == 6


def test_a_shipped_text_that_drops_what_items_rest_on_is_not_used(
    people: People, browser_of: BrowserOf, session: Session, tmp_path: Path
) -> None:
    row = publish_edited(
        people.actor("ada"), HEADING, f"## Our own way {{#own-way}}\n\nWe meet first.\n\n{HEADING}"
    )
    line = f"            - {ARTICLE}/expectations\n"
    draft = authoring.take_in(
        people.actor("ada"), changed(line, f"{line}            - {ARTICLE}/own-way\n")
    )
    authoring.publish(people.actor("ada"), draft.id, seen_version=1, reason="Our own way")
    session.commit()
    ship(shipped_content(tmp_path / "content", 5, OLD, "three shipped lists"))
    page = Page.of(browser_of("ada").submit(f"{PLACE}/6/use", reason="So"))
    assert "the passage own-way must stay, with its key: needed by M1" in page.text
    assert current_of().id == row.id


# The wrong side --------------------------------------------------------------------------------


def test_nobody_else_comes_near(people: People, browser_of: BrowserOf) -> None:
    for key in ["ilena", "nadia", "samira", "henrik", "dora"]:
        other = browser_of(key)
        for address in (
            HOME,
            f"{PLACE}/4",
            f"{PLACE}/4/file",
            EDIT,
            f"{PLACE}/4/use",
            f"{PLACE}/4/pass-over",
        ):
            assert other.get(address).status_code == 403, address
            assert other.post(address).status_code in {403, 405}, address
        assert HOME not in other.page("/").addresses(), key


def test_a_missing_page_is_404(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    for address in [
        f"{HOME}/nothing/en/1",
        f"{PLACE}/77",
        f"{HOME}/{ARTICLE}/fr/1",
        f"{HOME}/nothing/en/edit",
        f"{EDIT}?from=77",
        f"{EDIT}?from=x",
        f"{HOME}/%00/en/1",
        f"{HOME}/{ARTICLE}/%00/edit",
        f"{PLACE}/77/file",
        f"{PLACE}/77/use",
    ]:
        assert ada.get(address).status_code == 404, address


def test_a_withdrawn_article_is_looked_at_and_not_edited(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    row = current_of()
    row.is_current = False
    session.commit()
    ada = browser_of("ada")
    assert "Withdrawn" in ada.page(HOME).text
    page = ada.page(f"{PLACE}/4")
    assert "Edit" not in page.links()
    assert "Use the shipped revision" not in page.links()
    assert ada.get(EDIT).status_code == 404
    with pytest.raises(RuleBrokenError, match="withdrawn"):
        guidance_editing.use_shipped(people.actor("ada"), ARTICLE, "en", 4, reason="So")
    session.rollback()
    with pytest.raises(StaleError):
        guidance_editing.publish(
            people.actor("ada"),
            ARTICLE,
            "en",
            guidance_editing.words_of(revisions_of()[0]),
            seen_revision=4,
            reason="So",
        )
