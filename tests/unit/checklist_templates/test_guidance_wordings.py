"""What the guidance warns of is found in other words too, and ordinary sentences aren't."""

import pytest

from tests.unit.checklist_templates import guidance_wordings
from tracker.checklist_templates import risky_phrases

LANGUAGES = ["en", "ar"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_guidance_warns_of_is_hinted_at_in_other_words(language: str) -> None:
    sentences = guidance_wordings.LIMITING[language]
    assert [sentence for sentence in sentences if not risky_phrases.hints([sentence])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_that_limit_nobody_raise_no_hint(language: str) -> None:
    hinted = {
        sentence: [hint.words for hint in risky_phrases.hints([sentence])]
        for sentence in guidance_wordings.HARMLESS[language]
    }
    assert {sentence: words for sentence, words in hinted.items() if words} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_of_harmless_sentences_raises_no_hint_either(language: str) -> None:
    text = "\n".join(guidance_wordings.HARMLESS[language])
    assert [hint.words for hint in risky_phrases.hints([text])] == []
