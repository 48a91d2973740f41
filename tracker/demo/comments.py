"""The demonstration's comments on terms that the parties still disagree on."""

import datetime as dt

from tracker.checklists.models import Checklist
from tracker.comments import service
from tracker.comments.models import CommentAudience
from tracker.core import clock
from tracker.demo.people import DemoPeople


def write(demo_people: DemoPeople, terms: Checklist) -> None:
    """Comment on items and on the whole: to all parties, and to the author's own side only."""
    everybody, own = CommentAudience.ALL, CommentAudience.OWN
    comment = service.write(
        demo_people.actor("anton"),
        terms,
        "M18",
        text="Two pages hold too little of what families tell us. Would four do, one a summary?",
        audience=everybody,
        mentions=[demo_people.users["ilena"].id],
    )
    service.write(
        demo_people.actor("pavo"),
        terms,
        "M18",
        text="Four are fine for those who read them. I would hold on to one page of summary.",
        audience=own,
        mentions=[demo_people.users["nadia"].id],
    )
    board = service.write(
        demo_people.actor("henrik"),
        terms,
        "M10",
        text="Let us ask our board whether five days are enough before we answer.",
        audience=own,
    )
    service.make_task(
        demo_people.actor("henrik"),
        board.id,
        demo_people.users["samira"].id,
        clock.today() + dt.timedelta(days=7),
    )
    gone = service.write(
        demo_people.actor("henrik"),
        terms,
        "M12",
        text="The donor has taken its name off the invitation.",
        audience=everybody,
    )
    service.settle(
        demo_people.actor("ilena"),
        gone.id,
        "The invitation goes out without the name of the donor.",
    )
    service.write(
        demo_people.actor("anton"),
        terms,
        None,
        text="Could we go through M17 and M20 together next week?",
        audience=everybody,
    )
    service.make_task(
        demo_people.actor("ilena"),
        comment.id,
        demo_people.users["ilena"].id,
        clock.today() + dt.timedelta(days=3),
    )
