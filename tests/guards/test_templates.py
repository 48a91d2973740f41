"""Rules for every template and style sheet: it compiles, has its frame, and nothing inline.

In one file: every rule walks the same parsed templates.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from flask import Flask
from jinja2 import nodes

from tests.guards.sources import package_modules, text_of
from tests.guards.test_project import SAYS_NOTHING
from tracker import create_app
from tracker.activity.verbs import VERBS
from tracker.core.paths import PACKAGE, ROOT, STATIC, TEMPLATES
from tracker.settings import Settings

FRAME = "layouts/page.html"
# The sentence of each event; certificates use them too.
SENTENCES = "history/sentences.html"
# Templates used by name that are no pages of the frame: the page for an error when even the frame
# can't be rendered, and the sentences of events.
# The HTML part of an email, whose reader loads no style sheet.
MAIL = "mail/alternative.html"
WITHOUT_FRAME = {"errors/bare.html", "errors/host.html", SENTENCES, MAIL}
# Chosen by a computed name: error pages.
BY_NAME = re.compile(r"errors/\w+\.html")
INLINE = re.compile(
    r"\|\s*safe\b|\bMarkup\(|\sstyle\s*=|<style\b|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*[\"']"
    r"|javascript:|\bautoescape false",
    re.IGNORECASE,
)
# The kinds of a button, including those computed in a template.
BUTTON = re.compile(r'class="button\b([^"]*)"')
KINDS_OF_BUTTON = {"second", "grave"}
PHYSICAL = re.compile(
    r"\b(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right)\b"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)\b|(?<![-\w])(?:left|right)\s*:"
)
# File names in an evidence bundle, which no template renders.
OF_A_BUNDLE = {"checkpoint.txt", "inclusion.txt", "keys.txt", "seal.txt"}
# Lines that join what is stored or typed that way in any language: names on a paper, rules of a
# template as its file writes them, keys that a mistake says to write, languages in a field.
JOINED_AS_STORED = {
    "agreements/paper/prior_agreements.py": 2,
    "checklist_templates/compare.py": 2,
    "checklist_templates/languages.py": 2,
    "checklist_templates/strict.py": 1,
    # What the command line prints, and the words of a phrase.
    "checklists/model_texts/trials.py": 4,
    "core/schema_problems.py": 4,
    "guidance/library.py": 2,
    "organisations/forms.py": 1,
}
# Verbs of the instance's own chain, which no page shows; "tracker audit verify" reads it.
OF_THE_INSTANCE = {
    "instance_started",
    "credentials_adopted",
    "credentials_bound",
    "evidence_key_made",
    "evidence_key_imported",
    "evidence_key_retired",
    "evidence_key_revoked",
    "key_change_begun",
    "key_change_ended",
    # In any chain, and shown to nobody.
    "rows_noted",
    "rows_adopted",
    "content_loaded",
    "content_withdrawn",
    "template_drafted",
    "template_discarded",
    "template_published",
    "template_retired",
    "article_published",
    "article_passed_over",
    "own_article_added",
    "own_article_changed",
    "own_article_withdrawn",
    "own_article_restored",
    "template_words_changed",
    "model_text_changed",
    "model_text_reset",
    "organisation_added",
    "organisation_changed",
    "mail_tested",
    "setting_checked",
    "person_invited",
    "invitation_sent_again",
    "invitation_revoked",
    "invitation_accepted",
    "person_added",
    "person_changed",
    "person_renamed",
    "role_given",
    "role_confirmed",
    "role_accepted",
    "role_ended",
    "power_end_reminded",
    "power_ran_out",
    "person_suspended",
    "person_restored",
    "password_changed",
    "second_factor_set",
    "recovery_codes_made",
    "second_factor_reset",
    "passkey_added",
    "passkey_renamed",
    "passkey_removed",
    "passkey_set_aside",
    "sessions_ended",
    "details_erased",
    "cooperation_registered",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The whole application; its database isn't used here."""
    return create_app(
        Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path_factory.mktemp("data"))})
    )


@cache
def names() -> tuple[str, ...]:
    """Return the templates of pages and mails; those of PDF are in another language (typst)."""
    paths = (path for path in TEMPLATES.rglob("*") if path.is_file() and path.suffix != ".typ")
    return tuple(sorted(str(path.relative_to(TEMPLATES)) for path in paths))


@cache
def parsed(app: Flask, name: str) -> nodes.Template:
    return app.jinja_env.parse((TEMPLATES / name).read_text(), name, name)


def referred(tree: nodes.Template) -> set[str]:
    """Return the templates that one extends, includes or imports by a literal name."""
    kinds = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
    named = (getattr(node, "template", None) for node in tree.find_all(kinds))
    return {template.value for template in named if isinstance(template, nodes.Const)}


def frames(app: Flask, name: str) -> Iterator[nodes.Template]:
    """Yield a template and those it extends, innermost first."""
    while True:
        tree = parsed(app, name)
        yield tree
        parents = [node.template for node in tree.find_all(nodes.Extends)]
        if not parents or not isinstance(parents[0], nodes.Const):
            return
        name = parents[0].value


def rendered_by_code() -> set[str]:
    """Return the templates whose names are in the code."""
    code = "".join(text_of(path) for path in package_modules())
    return set(re.findall(r'"([a-z_]+(?:/[\w.]+)*\.(?:html|txt))"', code))


def pages(app: Flask) -> list[str]:
    """Return the templates that are whole pages: named in the code, with the suffix html."""
    shown = rendered_by_code() | {name for name in names() if name.startswith("errors/")}
    return sorted(name for name in shown & set(names()) if name.endswith(".html"))


def sentences(app: Flask) -> list[nodes.Macro]:
    """Return the macros for the sentences of events, one for each verb, in the order of the file.

    Those with an underscore are parts of several sentences; they receive values, not the details.
    """
    macros = parsed(app, SENTENCES).find_all(nodes.Macro)
    return [macro for macro in macros if not macro.name.startswith("_")]


def is_details(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "details"


def details_read(macro: nodes.Macro) -> Iterator[str]:
    """Yield the keys that a sentence reads, and "details" if it passes on all of them."""
    for attribute in macro.find_all(nodes.Getattr):
        if is_details(attribute.node):
            yield attribute.attr
    for item in macro.find_all(nodes.Getitem):
        if is_details(item.node):
            yield item.arg.value if isinstance(item.arg, nodes.Const) else repr(item.arg)
    for call in macro.find_all(nodes.Call):
        if any(is_details(argument) for argument in call.args):
            yield "details"


def test_every_template_compiles(app: Flask) -> None:
    assert len(names()) > 100
    for name in names():
        app.jinja_env.get_template(name)


def names_given(tree: nodes.Template) -> Iterator[str]:
    """Yield the names of variables and macros that a template defines."""
    yield from (macro.name for macro in tree.find_all(nodes.Macro))
    yield from (
        given.name for given in tree.find_all(nodes.Name) if given.ctx in {"store", "param"}
    )


def test_variables_and_macros_are_named_after_what_they_are(app: Flask) -> None:
    vague = [
        f"{name}: {given}"
        for name in names()
        for given in names_given(parsed(app, name))
        if given in SAYS_NOTHING
    ]
    assert vague == []


@pytest.mark.parametrize(
    "source",
    [
        "{% for one in rows %}{% endfor %}",
        "{% set told = 1 %}",
        "{% macro said(words) %}{% endmacro %}",
        "{% macro words(kept) %}{% endmacro %}",
        "{% for first, made in rows %}{% endfor %}",
    ],
)
def test_each_way_to_name_something_is_looked_at(app: Flask, source: str) -> None:
    assert set(names_given(app.jinja_env.parse(source))) & SAYS_NOTHING


def test_every_page_has_the_frame_and_a_title_and_a_heading(app: Flask) -> None:
    shown = pages(app)
    assert len(shown) > 50
    wrong = []
    for name in sorted(set(shown) - WITHOUT_FRAME):
        chain = list(frames(app, name))
        last = chain[-1].find_all(nodes.Block)
        blocks = {block.name for tree in chain[:-1] for block in tree.find_all(nodes.Block)}
        if {"title", "content"} - {block.name for block in last}:
            wrong.append(f"{name} does not extend {FRAME}")
        if "title" not in blocks:
            wrong.append(f"{name} has no block title")
    assert wrong == []


def test_no_import_of_a_template_has_the_name_of_a_value_it_is_given(app: Flask) -> None:
    """The import would silently win."""
    shadowed = [
        f"{name}: {imported}"
        for name, given in values_given().items()
        if name in names()
        for imported in sorted(given & imported_by(app, name))
    ]
    assert shadowed == []


def values_given() -> dict[str, set[str]]:
    """Return the names of the values that code gives to each template."""
    given: dict[str, set[str]] = {}
    for path in package_modules():
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                names_there = {keyword.arg for keyword in node.keywords if keyword.arg}
                given.setdefault(str(node.args[0].value), set()).update(names_there)
    return given


def imported_by(app: Flask, name: str) -> set[str]:
    imports = parsed(app, name).find_all(nodes.FromImport)
    return {
        each[1] if isinstance(each, tuple) else each
        for statement in imports
        for each in statement.names
    }


def test_the_frame_alone_lists_problems_first_on_the_page_and_in_its_title() -> None:
    """A page with several forms gives them to the frame as `forms`."""
    listing = [name for name in names() if "error_summary(" in (TEMPLATES / name).read_text()]
    assert listing == ["components/error_summary.html", FRAME]


def test_nothing_is_inline_and_nothing_passes_unescaped() -> None:
    offending = [
        f"{name}:{number}: {line.strip()}"
        for name in names()
        for number, line in enumerate((TEMPLATES / name).read_text().splitlines(), 1)
        if INLINE.search(line.replace(" style=", "") if name == MAIL else line)
    ]
    assert offending == []


def test_markup_is_made_only_where_it_is_escaped_or_cleaned() -> None:
    makers = {
        str(path.relative_to(ROOT))
        for path in package_modules()
        if re.search(r"\bMarkup\(", text_of(path))
    }
    assert makers == {
        "tracker/guidance/markdown.py",
        "tracker/search/words.py",
        "tracker/ui/locale.py",
    }


def test_every_template_is_used(app: Flask) -> None:
    used = rendered_by_code()
    for name in names():
        used |= referred(parsed(app, name))
    assert [name for name in names() if name not in used and not BY_NAME.fullmatch(name)] == []


def test_every_named_template_is_there(app: Flask) -> None:
    wanted = rendered_by_code()
    for name in names():
        wanted |= referred(parsed(app, name))
    assert wanted - OF_A_BUNDLE - set(names()) == set()


def test_every_verb_of_a_cooperation_has_its_words_and_no_other(app: Flask) -> None:
    assert set(VERBS) >= OF_THE_INSTANCE
    assert {macro.name for macro in sentences(app)} == set(VERBS) - OF_THE_INSTANCE


def test_each_verbs_sentence_occurs_once_in_alphabetical_order(app: Flask) -> None:
    """Of two macros with the same name the last would silently win."""
    names = [macro.name for macro in sentences(app)]
    assert names == sorted(set(names))


def test_the_words_of_a_verb_use_its_keys_and_no_others(app: Flask) -> None:
    wrong = {}
    for macro in sentences(app):
        read = set(details_read(macro))
        strange = read - VERBS[macro.name].keys
        if strange or [argument.name for argument in macro.args] != ["details"]:
            wrong[macro.name] = strange
    assert wrong == {}


def test_no_word_of_a_verb_is_a_method_of_the_details(app: Flask) -> None:
    """For details.items Jinja would return the method; details["items"] is the key."""
    offending = [
        f"{macro.name}: {node.attr}"
        for macro in sentences(app)
        for node in macro.find_all(nodes.Getattr)
        if is_details(node.node) and hasattr(dict, node.attr)
    ]
    assert offending == []


def latin_marks(tree: nodes.Template) -> Iterator[str]:
    """Yield each comma or semicolon between words that a template itself writes.

    Those inside a message are translated with it.
    """
    for data in tree.find_all(nodes.TemplateData):
        yield from re.findall(r"(?:^|>)([,;])(?=\s|$|<)", data.data)
    for node in tree.find_all(nodes.Filter):
        if node.name == "join":
            marks = (arg.value for arg in node.args if isinstance(arg, nodes.Const))
            yield from (mark for mark in marks if mark in {", ", "; "})


def test_words_in_a_list_have_the_comma_of_their_language_between_them(app: Flask) -> None:
    """With the filters with_commas and with_semicolons, or {{ comma }} between two parts."""
    offending = [f"{name}: {mark}" for name in names() for mark in latin_marks(parsed(app, name))]
    assert offending == []


@pytest.mark.parametrize(
    "source", ["{{ a }}, {{ b }}", "<b>{{ a }}</b>, <b>b</b>", '{{ a|join(", ") }}', "{{ a }}; b"]
)
def test_each_comma_of_a_template_is_looked_at(app: Flask, source: str) -> None:
    assert list(latin_marks(app.jinja_env.parse(source)))
    assert not list(latin_marks(app.jinja_env.parse("{% trans %}{{ a }}, {{ b }}{% endtrans %}")))


def test_code_that_speaks_to_people_joins_words_as_their_language_does() -> None:
    """With ui.locale.with_commas and with_semicolons."""
    joining = Counter(
        str(path.relative_to(PACKAGE))
        for path in package_modules()
        if "from flask_babel" in text_of(path)
        for line in text_of(path).splitlines()
        if re.search(r"[\"'][,;] [\"']\.join\(", line)
    )
    assert joining == JOINED_AS_STORED


def test_a_button_is_of_a_kind_that_the_design_names() -> None:
    """With another class its text would be invisible on its background."""
    offending = [
        f"{name}: {match.group()}"
        for name in names()
        for match in BUTTON.finditer((TEMPLATES / name).read_text())
        if not set(re.sub(r"{%.*?%}", " ", match[1]).split()) <= KINDS_OF_BUTTON
    ]
    assert offending == []


def test_styles_know_start_and_end_and_not_left_and_right() -> None:
    sheets = sorted((STATIC / "css").glob("*.css"))
    assert len(sheets) >= 4
    offending = [
        f"{sheet.name}:{number}: {line.strip()}"
        for sheet in sheets
        for number, line in enumerate(sheet.read_text().splitlines(), 1)
        if PHYSICAL.search(line)
    ]
    assert offending == []


def test_styles_and_scripts_load_nothing_from_elsewhere() -> None:
    files = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".js"}]
    assert files
    offending = [
        f"{path.name}: {match}"
        for path in files
        for match in re.findall(
            r"(?:https?:)?//[\w.-]+\.\w+|@import|url\([^)]*\)", path.read_text()
        )
        if not match.startswith(("url(data:", 'url("data:'))
    ]
    assert offending == []
