"""Commands for accounts: invite a person, reset a person's credentials."""

from uuid import UUID

import click
from flask import current_app
from flask.cli import with_appcontext

from tracker.access.actor import Role
from tracker.accounts import queries
from tracker.accounts.people import invitations, service
from tracker.accounts.people.invitations import NewInvitation
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.mail import render
from tracker.organisations import queries as organisations


@click.command("invite")
@click.argument("email")
@click.option("--name", default="", help="The person's name; needed for a signatory or manager.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=("administrator",),
    show_default=True,
    type=click.Choice([role.value for role in Role]),
    help="Repeatable.",
)
@click.option("--organisation", default="", help="The organisation's name; not for administrators.")
@click.option("--office", default="", help="For a signatory: their office.")
@click.option("--power", default="", help="For a signatory: the source of their power to sign.")
@click.option("--audits", default="", help="For an auditor from another body: the NPM to audit.")
@click.option("--language", default="", help="Language of the invitation.  [default: the first]")
@with_appcontext
def invite(
    email: str,
    *,
    name: str,
    roles: tuple[str, ...],
    organisation: str,
    office: str,
    power: str,
    audits: str,
    language: str,
) -> None:
    """Invite EMAIL, print the link and mail it.

    This is how the first administrator gets an account. Exits 1 with one line if the person
    can't be invited.
    """
    settings = current_app.extensions["settings"]
    if language and language not in settings.languages:
        raise click.ClickException(f"--language must be one of {', '.join(settings.languages)}")
    wanted = NewInvitation(
        email=email,
        name=name,
        roles={Role(role) for role in roles},
        organisation_id=_organisation_id(organisation),
        office=office,
        power=power,
        audits_id=_organisation_id(audits),
        language=language or settings.languages[0],
        days=settings.invitation_days,
    )
    try:
        invited = invitations.invite(None, wanted)
        link = render.link_to("accounts.accept_invitation", token=invited.token)
        db.session.commit()
    except RuleBrokenError as error:
        db.session.rollback()
        field = f"{error.field}: " if error.field else ""
        raise click.ClickException(f"{field}{error}") from error
    click.echo(f"{invited.email} is invited for {settings.invitation_days} days:\n{link}")


@click.command("reset")
@click.argument("email")
@click.option("--reason", required=True, help="Why, and how you checked who is asking.")
@with_appcontext
def reset(email: str, *, reason: str) -> None:
    """Reset the second factor of EMAIL.

    Also deletes the password if it was changed outside the application. For an administrator whom
    nobody else can reset. Exits 1 with one line if it can't be done.
    """
    user = queries.find_user_by_email(email)
    if user is None:
        raise click.ClickException(f"There is no account for {email!r}.")
    try:
        service.reset_by_command(user.id, reason=reason)
        db.session.commit()
    except RuleBrokenError as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    click.echo(
        "Reset. The person can now sign in with their password, or request a new one on the "
        "sign-in page, and set up a new second factor."
    )


def _organisation_id(name: str) -> UUID | None:
    if not name:
        return None
    organisation = organisations.find_by_name(name)
    if organisation is None:
        raise click.ClickException(f"There is no organisation named {name!r}.")
    return organisation.id
