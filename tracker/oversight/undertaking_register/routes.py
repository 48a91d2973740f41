"""Pages for the register of undertakings: the list and its export."""

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _

from tracker.access.actor import Role
from tracker.access.gate import current_actor, require, signed_in
from tracker.accounts import long_work
from tracker.core import clock
from tracker.core.db import db
from tracker.oversight import policy as agreements
from tracker.oversight.export import CsvFile
from tracker.oversight.undertaking_register import pages, policy, queries, service
from tracker.oversight.undertaking_register.facts import DAYS, Access, Filters, TextVersion
from tracker.oversight.undertaking_register.labels import ACCESS, VERSIONS
from tracker.ui import paging
from tracker.ui.filters import PAGE, chosen_or_404, filter_links, here
from tracker.ui.locale import with_commas
from tracker.ui.words import tidy_line

blueprint = Blueprint("undertaking_register", __name__, url_prefix="/register/undertakings")
MAX_LENGTH = 200


@blueprint.get("")
@signed_in
def show() -> str:
    """Show a page of the undertakings the person may see, filtered as requested."""
    actor = current_actor()
    require(policy.can_see_undertakings(actor))
    filters = _requested()
    counts = queries.counts(actor, filters)
    total = counts[filters.access or ""]
    after = paging.asked_after()
    page = queries.page(actor, filters, after=after, limit=paging.SIZE) if total else None
    lines = page.lines if page else []
    views = [pages.view(actor, line) for line in lines]
    return render_template(
        "oversight/undertakings.html",
        views=views,
        total=total,
        beginning=here({PAGE: None}) if after else "",
        following=here({PAGE: str(lines[-1].line.undertaking.id)})
        if page and page.has_more
        else "",
        disagreeing=sum(not view.agrees for view in views),
        gone=[with_commas((row.person or "?", row.reference)) for row in queries.gone(actor)],
        links=filter_links(
            "access", [("", _("All")), *((group.value, ACCESS[group]) for group in Access)], counts
        ),
        summary=pages.summary(counts),
        fields=_fields(filters),
        is_narrowed=filters != Filters(),
        narrowed_by=pages.narrowed_by(filters),
        today=clock.today(),
        days=DAYS,
        versions=[(version.value, VERSIONS[version]) for version in TextVersion],
        is_auditor=actor.has(Role.AUDITOR),
        agreements_url=url_for("oversight.register") if agreements.can_see_register(actor) else "",
    )


@blueprint.post("/export")
@signed_in
def export() -> Response:
    """Return the filtered register as CSV; the export is recorded."""
    actor = current_actor()
    require(policy.can_see_undertakings(actor))
    filters = _requested()
    long_work.begin(actor)
    file = CsvFile(pages.export_heads())
    service.export(actor, filters, file, pages.export_row, pages.gone_row)
    db.session.commit()  # not performed: the response is a file
    answer = Response(file.sent(), content_type="text/csv; charset=utf-8")
    name = f"undertakings-{clock.today().isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _requested() -> Filters:
    """Parse the filters from a URL or a form; abort with 404 if one is unknown."""
    access = chosen_or_404("access", set(Access))
    ends = chosen_or_404("ends", {str(days) for days in DAYS})
    version = chosen_or_404("version", set(TextVersion))
    cooperation, organisation, person = (
        tidy_line(request.values.get(name, ""))[:MAX_LENGTH]
        for name in ("cooperation", "organisation", "person")
    )
    return Filters(
        cooperation,
        organisation,
        person,
        access=Access(access) if access else None,
        ends_within=int(ends) if ends else None,
        version=TextVersion(version) if version else None,
    )


def _fields(filters: Filters) -> dict[str, str]:
    """Return the filters as values of a form's fields."""
    return {
        "cooperation": filters.cooperation,
        "organisation": filters.organisation,
        "person": filters.person,
        "access": filters.access.value if filters.access else "",
        "ends": str(filters.ends_within or ""),
        "version": filters.version.value if filters.version else "",
    }
