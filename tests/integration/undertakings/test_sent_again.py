"""An undertaking that meets a busy database keeps its ticks; its signature is asked for again."""

from flask import Flask

from tests.factories.undertakings import PASSWORD, TOLD, Clearing
from tests.integration.ui.test_send_again import meets_busy, press, without_token
from tests.integration.undertakings.test_pages import POINTS, filled_in, path_of
from tests.pages import Page


def test_an_undertaking_keeps_its_ticks_and_what_was_declared(
    app: Flask, clearing: Clearing
) -> None:
    path, client = path_of(clearing, "leyla"), clearing.browser(app, "leyla")
    sent = client.page(path).form().filled_in(**filled_in(TOLD), go="on")
    again = meets_busy(app, client, path, sent).form()
    assert without_token(again.values) == without_token(sent)
    assert {f"{code}_confirmed" for code in POINTS} <= again.values.keys()
    shown = press(client, again)
    assert (shown.request.path, TOLD in Page.of(shown).text) == (f"{path}/sign", True)


def test_a_signature_is_asked_for_again_and_its_proof_is_nowhere(
    app: Flask, clearing: Clearing
) -> None:
    path, client = path_of(clearing, "leyla"), clearing.browser(app, "leyla")
    client.submit(path, **filled_in(TOLD), go="on")
    code = clearing.code("leyla")
    form = client.page(f"{path}/sign").form()
    token = form.values["page_token"][0]
    sent = form.filled_in(password=PASSWORD, code=code)
    page = meets_busy(app, client, f"{path}/sign", sent)
    for secret in (PASSWORD, f'"{code}"', token):
        assert secret not in page.html
    assert "We don't keep passwords or codes" in page.text
    shown = Page.of(press(client, page.form()))
    assert "I, Leyla Marchetti, have read revision 1" in shown.text
    assert "You have signed" not in shown.text
