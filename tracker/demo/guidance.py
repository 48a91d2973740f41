"""The demonstration's own guidance by two organisations: one shared, one private."""

from tracker.authoring.facts import ArticleWords
from tracker.authoring.own_guidance import service as own_guidance
from tracker.demo.people import DemoPeople

SENDING = """\
Our lawyers are in police stations at night. What they send has to be of use the next morning.

## Send it within a day {#within-a-day M10}

Write down what was seen on the same day, and send it within 24 hours. Later the memory mixes with
what others told.

## Leave out who it was {#no-names M10 C3}

Send the station, the month and what was missing: a lawyer, a doctor, a call home. No name, no case
number, no exact day. If only the whole story is of use, ask the person first.
"""
READING = """\
## Who reads the terms before they are sent {#second-reader M5 M6}

The second reader is somebody of the legal unit who wrote none of the answers. Give them two working
days, and send the passages on independence along.
"""


def write(demo_people: DemoPeople) -> None:
    """Write one article that is shared with partners, and one that only the NPM sees."""
    own_guidance.add(
        demo_people.actor("samira"),
        ArticleWords(
            question="How do we send the NPM what we see in police stations?",
            summary="What our lawyers write down, when, and what they leave out.",
            category="engaging-with-others",
            topics=("engaging-with-civil-society", "confidentiality-and-data-protection"),
            body=SENDING.strip(),
        ),
        language="en",
        for_partners=True,
    )
    own_guidance.add(
        demo_people.actor("ilena"),
        ArticleWords(
            question="Who reads our terms before they are sent?",
            summary="How the office chooses a second reader.",
            category="institutional-development",
            topics=("internal-rules",),
            body=READING.strip(),
        ),
        language="en",
        for_partners=False,
    )
