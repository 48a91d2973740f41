"""Contrast is measured once for texts that look the same, and each text without enough is found."""

from playwright.sync_api import Browser

from tests.browser.accessibility import grave_faults

# What is on a dark ground, what is pale, what a transparent parent makes pale, and what lies on
# something dark that doesn't contain it; everything else looks like what comes before it.
HTML = """<!doctype html><html lang=en><meta charset=utf-8><title>Terms</title>
<style>
  body { background: #fff; color: #222 } main { position: relative }
  .dark { background: #333 } .pale { color: #bbb } .faint { opacity: .3 }
  .cover { position: absolute; inset: auto 0 0; height: 3rem; background: #333; z-index: 1 }
  .over { position: absolute; bottom: 1rem; margin: 0; z-index: 2 }
</style>
<main><h1>Terms</h1>
  <p>Agreed</p><p>Agreed too</p><p id=on-dark class=dark>On dark</p>
  <p id=pale class=pale>Pale</p><p id=pale-too class=pale>Pale too</p>
  <div class=faint><p id=faint>Faint</p></div>
  <p>Agreed as well</p><p style="height: 4rem"></p>
  <div class=cover></div><p id=over class=over>Over something dark</p>
</main>"""


def test_each_text_without_enough_contrast_is_reported_and_none_that_has_it(
    browser: Browser,
) -> None:
    page = browser.new_page()
    page.set_content(HTML)
    faults = [fault for fault in grave_faults(page) if "color-contrast" in fault]
    page.close()
    names = ("on-dark", "pale", "pale-too", "faint", "over")
    assert len(faults) == len(names), faults
    for name, fault in zip(names, faults, strict=True):
        assert f"color-contrast at ['#{name}']" in fault
