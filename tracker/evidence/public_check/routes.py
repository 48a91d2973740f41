"""The public page that verifies a document, from a file or from what is printed on paper."""

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from tracker.access.gate import public
from tracker.accounts.factors import attempts
from tracker.core import clock
from tracker.core.db import reading
from tracker.evidence.certificates.pdf import MARKER
from tracker.evidence.forms import MAX_BYTES, FileForm, PaperForm
from tracker.evidence.public_check import verdicts
from tracker.evidence.public_check.facts import Answer
from tracker.evidence.public_check.labels import answer_words
from tracker.ui.locale import file_size
from tracker.ui.uploads import takes_files

blueprint = Blueprint("verification", __name__)

# The size of the rest of the request, and how far a file may exceed the limit and still get a
# message.
MAX_REQUEST_BYTES = MAX_BYTES + 1024 * 1024

Page = str | tuple[str, int]


@blueprint.route("/verify", methods=["GET", "POST"])
@public
@takes_files(MAX_REQUEST_BYTES)
def verify() -> Page:
    """Verify what the URL names: a text by reference and digest, or a file by its digest.

    Or an uploaded file: it is checked and not stored. URLs with reference and digest are printed on
    paper and sent in emails, so they never change.
    """
    if request.method == "POST":
        return _of_file()
    given = {name: value for name, value in request.args.items() if value.strip()}
    if "file" in given:
        return _answer_page(lambda: verdicts.of_digests(given["file"], given.get("text", "")))
    if "digest" in given and "reference" in given:
        return _answer_page(lambda: verdicts.of_text(given["reference"], given["digest"]))
    return _page(paper=_lacking(PaperForm(request.args)))


def _lacking(paper: PaperForm) -> PaperForm:
    """Ask for the reference or the digest if one of them is missing: neither is enough alone."""
    if paper.reference.data and not paper.digest.data:
        words = _(
            "Enter the digest too: the reference only names a cooperation, not one of its texts."
        )
        paper.digest.errors = [words]
    elif paper.digest.data and not paper.reference.data:
        paper.reference.errors = [_("Enter the reference too, such as C-2026-0001.")]
    return paper


def _of_file() -> Page:
    form = FileForm()
    data = form.content()
    if not form.validate():
        return _page(form)
    if not data:
        form.file.errors = [*form.file.errors, _("Choose a file")]
        return _page(form)
    if len(data) > MAX_BYTES:
        words = _(
            "The file is too large: at most %(size)s. Check a larger bundle with the command.",
            size=file_size(MAX_BYTES),
        )
        form.file.errors = [*form.file.errors, words]
        return _page(form)
    return _answer_page(lambda: verdicts.of_file(data))


def _answer_page(ask: Callable[[], Answer]) -> Page:
    """Return the answer; each client gets only so many answers that show nothing genuine.

    Others can write in the meantime, since a large file takes seconds.
    """
    counters = [attempts.verification(request.remote_addr)]
    minutes = attempts.minutes_to_wait(counters)
    if minutes:
        return _page(minutes=minutes), HTTPStatus.TOO_MANY_REQUESTS
    with reading():
        answer = ask()
    page = _page(answer=answer)
    if answer.is_failure:
        attempts.note(counters)
    return page


def _page(
    form: FileForm | None = None,
    answer: Answer | None = None,
    minutes: int = 0,
    paper: PaperForm | None = None,
) -> str:
    form = form or FileForm(formdata=None)
    paper = paper or PaperForm(request.args)
    words = answer_words(answer) if answer else None
    return render_template(
        "evidence/verify.html",
        form=form,
        paper=paper,
        forms=[form, paper],
        answer=answer,
        words=words,
        # In the title too, so that it is read out first.
        outcome=words[0] if words else "",
        minutes=minutes,
        marker=MARKER,
        now=clock.now(),
    )
