"""Any typed text can be typeset; strings stay text; pages don't depend on the machine."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.factories.evidence.certificates import ATTACHED, an_item, plain_values
from tracker.evidence.certificates import typesetting
from tracker.evidence.certificates.typesetting import TypesettingError, printable, typeset

TEMPLATE = "certificate.typ"


def setting(text: str, **changed: Any) -> bytes:
    """Return a certificate whose first answer is a text."""
    sections = [{"title": {"t": "Purpose"}, "items": [an_item(text)]}]
    return typeset(TEMPLATE, plain_values(sections=sections, **changed), ATTACHED)


def words_of(pdf: bytes, tmp_path: Path) -> str:
    path = tmp_path / "set.pdf"
    path.write_bytes(pdf)
    program = shutil.which("pdftotext")
    assert program, "pdftotext is not installed: see .ci/system"
    done = subprocess.run(
        [program, "-raw", str(path), "-"], capture_output=True, text=True, check=True, timeout=60
    )
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "text",
    [
        '#read("/etc/passwd")',
        "*bold* _thin_ $x^2$ #import",
        "= Heading\n- list\n+ list",
        "<script>alert(1)</script>",
        "\\u{41} \\ ` @preview",
    ],
)
def test_strings_are_text_and_never_markup(text: str, tmp_path: Path) -> None:
    assert " ".join(text.split()) in words_of(setting(text), tmp_path)


@pytest.mark.parametrize("text", ["", "Zoë Ångström", "Привет", "Ελλάδα", "شروط مشتركة", "a\n\nb"])
def test_latin_greek_cyrillic_and_arabic_are_set_as_they_are(text: str) -> None:
    assert printable(text) == text
    assert setting(text).startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("中文", "[U+4E2D][U+6587]"),
        ("a😀b", "a[U+1F600]b"),
        ("\ue000", "[U+E000]"),
        ("a\x07b", "a[U+0007]b"),
        ("a\tb\u2028c", "a b c"),
        # Invisible characters that change the direction of others.
        ("agreed\u202e ton", "agreed ton"),
        ("\u2066a\u2069\ufeff\u200b", "a"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_letters_that_no_font_has_are_shown_by_their_numbers(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert setting(text).startswith(b"%PDF-1.7")


@settings(max_examples=tries(20, 60), suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_any_text_can_be_set(text: str) -> None:
    assert setting(text).startswith(b"%PDF-1.7")


MARKS = st.sampled_from("\u0301\u0308\u064b\u0651\u0670\u0327\u20dd")


@settings(max_examples=tries(20, 60), suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from("aبЖΩ中ﷺ"), MARKS, MARKS), max_size=20))
def test_any_marks_on_letters_of_any_script_can_be_set(letters: list[tuple[str, ...]]) -> None:
    text = "".join("".join(pair) for pair in letters)
    assert setting(text).startswith(b"%PDF-1.7")


def test_the_same_values_give_the_same_words_in_both_directions(tmp_path: Path) -> None:
    mirrored = setting("كما هو", lang="ar", dir="rtl", title={"t": "الشروط المتفق عليها"})
    assert b"/Direction/R2L" in mirrored
    assert b"/Lang(ar)" in mirrored


def test_only_fonts_that_came_with_the_application_are_used() -> None:
    families = typesetting._fonts().families()
    assert families == ["Amiri", "IBM Plex Sans", "IBM Plex Serif"]
    pdf = setting("Words")
    names = {name for name in (b"IBMPlexSans", b"IBMPlexSerif", b"Amiri") if name in pdf}
    assert b"IBMPlexSerif" in names
    for other in (b"DejaVu", b"Libertinus", b"NewComputerModern"):
        assert other not in pdf


def test_a_warning_of_the_typesetter_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "warns.typ").write_text(
        '#set document(title: "x")\n#set text(font: "No Such Font")\n= x\n'
    )
    monkeypatch.setattr(typesetting, "FOLDER", tmp_path)
    monkeypatch.setattr(typesetting, "_typesetters", typesetting._Typesetters())
    with pytest.raises(TypesettingError, match="unknown font family"):
        typeset("warns.typ", {}, ATTACHED)


def test_a_template_can_read_nothing_outside_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "reads.typ").write_text('#read("/../../etc/passwd")')
    monkeypatch.setattr(typesetting, "FOLDER", tmp_path)
    monkeypatch.setattr(typesetting, "_typesetters", typesetting._Typesetters())
    with pytest.raises(TypesettingError):
        typeset("reads.typ", {}, ATTACHED)


def test_a_page_without_a_title_is_refused() -> None:
    with pytest.raises(TypesettingError):
        typeset(TEMPLATE, plain_values(title={"t": ""}), ATTACHED)
