"""Bundles and anchors made to harm or confuse whoever verifies them."""

import ast
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import second_verifier
from tests.factories.evidence.bundles import (
    a_pdf,
    altered,
    begun,
    document_note,
    judged,
    key_note,
    large,
    private_key,
)
from tests.stopwatch import measured
from tests.unit.evidence.verifying.changes import BUNDLE, in_lines, put, with_list
from tracker.evidence import cli
from tracker.evidence.bundles import container, parts, verify

# What can't be checked once the chain couldn't be read to its end.
AFTER_CHAIN = {"Texts", "Signatures", "Passkeys", "Certificates", "Log", "Earlier checkpoints"}


def test_words_of_a_file_do_nothing_to_a_terminal() -> None:
    instance = begun()
    text = instance.text("\x1b[2Jterms")
    instance.sign(text, "by\nhand", signer_name="\x1b[31mHenrik\u202e" + "x" * 500)
    report = verify.verify(instance.take_out())
    assert report.is_sound
    (line,) = report.signed
    assert line.isprintable()
    assert len(line) < 400


def test_lines_nested_without_end_and_numbers_without_end_are_refused() -> None:
    for line in (b"[" * 100_000, b"1" * 5000, b"{" * 3, b"NaN", b"null"):
        data = altered(BUNDLE, put(parts.EVENTS, line + b"\n"), private_key())
        assert "Chain" in judged(data)
        data = altered(BUNDLE, put(parts.ROWS, line + b"\n"), private_key())
        assert "Texts" in judged(data)


def with_details(nested: object) -> bytes:
    instance = begun()
    instance.event("answer_saved", details={"who": None, "nested": nested})
    return instance.take_out()


def nested(depth: int) -> object:
    return [nested(depth - 1)] if depth else 0


def with_name(name: str) -> bytes:
    """Return the bundle with one more file, listed and sealed by its instance."""
    return altered(BUNDLE, put(name, b"x"), private_key())


def with_certificate(made_at: str) -> bytes:
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(instance.agree(), a_pdf(), made_at=made_at)
    return instance.take_out()


@pytest.mark.parametrize(
    ("data", "flawed"),
    [
        # The whole line, its details, their content and what is nested in it: 100 levels.
        (with_details(nested(97)), set()),
        (with_details(nested(98)), {"Chain"} | AFTER_CHAIN),
        # Some programs end a name at a zero byte.
        (with_name("documents/2.json\0x"), {"File"}),
        (with_name("README.txt\0"), {"File"}),
        (with_name("documents/a b.json"), {"File"}),
        # These have no time in UTC.
        (with_certificate("9999-12-31T23:59:59-14:00"), {"Certificates"}),
        (with_list(made_at="0001-01-01T00:00:00+14:00"), {"Seal", "Chain"} | AFTER_CHAIN),
        # One line more, after all events.
        (
            altered(BUNDLE, in_lines(parts.EVENTS, lambda lines: lines.append({})), private_key()),
            {"Chain"} | AFTER_CHAIN,
        ),
    ],
)
def test_both_verifiers_find_the_same_flaws_in_odd_files(data: bytes, flawed: set[str]) -> None:
    assert set(judged(data)) == flawed
    # Nobody's key vouches for what has no valid seal.
    if "Seal" in flawed:
        fingerprint = key_note().fingerprint
        assert f"Key {fingerprint[:8]}" in judged(data, keys=[fingerprint])


def test_the_second_verifier_imports_nothing_of_the_application() -> None:
    path = Path(second_verifier.__file__)
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert names - set(sys.stdlib_module_names) == {"cryptography"}


@pytest.mark.parametrize(
    ("data", "options", "code", "last"),
    [
        (BUNDLE, [], 3, "sound in itself, compared with nothing you hold"),
        (BUNDLE, ["--key", key_note().fingerprint.upper()], 0, "sound"),
        (BUNDLE, ["--key", "0" * 64], 1, "no sound evidence"),
        (b"It isn't a bundle.", [], 1, "no sound evidence"),
    ],
)
def test_the_second_verifier_is_a_command_that_exits_like_the_first(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
    options: list[str],
    code: int,
    last: str,
) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(data)
    assert second_verifier.main([str(file), *options]) == code
    assert capsys.readouterr().out.splitlines()[-1] == last


CHECKPOINT_TEXT = container.unpack(BUNDLE)["checkpoint.txt"].decode()


FIRST_LINE = "common-terms/checkpoint/1\n"


@pytest.mark.parametrize(
    "anchor",
    [
        "Dear all, please find the checkpoint below.\n",
        FIRST_LINE,
        re.sub("size: .*", "size: three", CHECKPOINT_TEXT),
        re.sub("previous: .*", "previous: 01", CHECKPOINT_TEXT),
        re.sub("root: .*", "root: " + "A" * 64, CHECKPOINT_TEXT),
        re.sub("key: .*", "key: mine", CHECKPOINT_TEXT),
        re.sub("at: .*", "at: 30 November 2026", CHECKPOINT_TEXT),
        re.sub("signature: .*", "signature: signed", CHECKPOINT_TEXT),
        CHECKPOINT_TEXT + "\ncommon-terms/consistency/1\norigin: x\nfrom: 1\nto: 2\nproof: x\n",
    ],
)
def test_an_anchor_that_cannot_be_read_is_an_error_of_its_own_in_both_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], anchor: str
) -> None:
    file, anchor_file = tmp_path / "bundle.zip", tmp_path / "kept.txt"
    file.write_bytes(BUNDLE)
    anchor_file.write_text(anchor, encoding="utf-8")
    both_exit(
        2, "kept.txt contains no checkpoint", [str(file), "--anchor", str(anchor_file)], capsys
    )


@pytest.mark.parametrize("key", ["mine", "0" * 63, "g" * 64, ""])
def test_a_key_that_is_no_digest_is_an_error_of_its_own_in_both_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(b"It isn't a bundle.")
    both_exit(2, f"{key} is not a SHA-256", [str(file), "--key", key], capsys)


def test_an_anchor_that_does_not_fit_is_a_flaw_in_both_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, anchor_file = tmp_path / "bundle.zip", tmp_path / "kept.txt"
    file.write_bytes(BUNDLE)
    anchor_file.write_text(re.sub("origin: .*", "origin: https://x.example", CHECKPOINT_TEXT))
    both_exit(1, "", [str(file), "--anchor", str(anchor_file)], capsys)


def both_exit(
    code: int, reason: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Run both programs, and compare with what code and reason each of them ends."""
    first = CliRunner().invoke(cli.evidence_group, ["verify", *arguments])
    assert (first.exit_code, reason in first.output) == (code, True), first.output
    if code != 2:
        assert second_verifier.main(arguments) == code
        return
    with pytest.raises(SystemExit) as left:
        second_verifier.main(arguments)
    assert left.value.code == code
    assert reason in capsys.readouterr().err


def test_the_second_verifier_says_which_file_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        second_verifier.main([str(tmp_path / "none.zip")])
    assert left.value.code == 2
    assert "none.zip" in capsys.readouterr().err


def test_ten_thousand_events_are_checked_in_five_seconds() -> None:
    data = large(10_000)
    with measured() as taken:
        report = verify.verify(data)
    assert report.is_sound
    assert "events: 10,000" in report.verdicts[4].words
    assert taken.seconds < 5
