"""Labels of groups of notifications, with examples, and of frequencies."""

from flask_babel import lazy_gettext as _l

from tracker.notifications.kinds import Frequency, Group

GROUPS: dict[Group, object] = {
    Group.SIGNING: _l("Signing"),
    Group.UNDERTAKINGS: _l("Undertakings"),
    Group.URGENT: _l("Urgent matters"),
    Group.TEXTS: _l("Work on checklists"),
    Group.COMMENTS: _l("Comments"),
    Group.COOPERATIONS: _l("Cooperations and their parties"),
    Group.VISITS: _l("Joint visits"),
    Group.REVIEWS: _l("Reviews and dates"),
}
EXAMPLES: dict[Group, object] = {
    Group.SIGNING: _l("A text is waiting for your signature, is signed by everyone, or declined."),
    Group.UNDERTAKINGS: _l(
        "You're asked for one, it's decided or countersigned, a clearance ends soon, copies are "
        "due."
    ),
    Group.URGENT: _l(
        "A text in force is suspended or ended, an administrator confirms who signs for a partner, "
        "or a visit that you prepare is no longer ready."
    ),
    Group.TEXTS: _l(
        "Another party suggests a change or asks to discuss, an item is flagged or changed, items "
        "are assigned to you or due."
    ),
    Group.COMMENTS: _l("A comment mentions you, or a task from a comment is due."),
    Group.COOPERATIONS: _l(
        "A cooperation is opened, or an organisation joins, leaves or is replaced."
    ),
    Group.VISITS: _l("Something about a visit changed that you may know of."),
    Group.REVIEWS: _l("A review is due, has started or is complete, or terms are ending."),
}
FREQUENCIES: dict[Frequency, object] = {
    Frequency.IMMEDIATELY: _l("Immediately"),
    Frequency.DAILY: _l("Once a day"),
    Frequency.WEEKLY: _l("Once a week"),
    Frequency.NONE: _l("No emails"),
}
