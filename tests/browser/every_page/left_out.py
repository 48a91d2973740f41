"""Pages that no check of every page in a browser opens, and why."""

FILE = "a file"
DATA = "text or data for machines"
LEADS_ON = "leads on to another page"
CLOSED = "a page of the sign-in library that stays disabled"
# While somebody signs in; test_passkeys and test_further_pages open them there.
SIGNING_IN = "only while somebody signs in"
# A review can be concluded without a party once it has had weeks to confirm.
LATER = "only after weeks"
# A comment can be changed for a few minutes after it was written.
SHORTLY = "only for some minutes"
# The outcome of a discussion is asked of the party that wished for it.
WISHED = "only once a party asked to discuss"
# A visit is handed over once nobody of the NPM who is on its list can act.
ABANDONED = "only once nobody on a visit's list can act"
# A model text is given up for the product's once an administrator has changed it.
CHANGED = "only once a model text was changed"
# A release that brings a newer text or checklist than the one that was edited here.
UPDATED = "only after an update"

LEFT_OUT = {
    "accounts.after_factor_change": LEADS_ON,
    "authoring.download": FILE,
    "authoring.download_draft": FILE,
    "authoring.publish_shipped": UPDATED,
    "certificates.of_checklist": FILE,
    "certificates.of_undertaking": FILE,
    "comments.edit": SHORTLY,
    "comments.show": LEADS_ON,
    "comments.withdraw": SHORTLY,
    "evidence.checkpoint": DATA,
    "evidence.consistency": DATA,
    "evidence.newest_checkpoint": DATA,
    "evidence.public_keys": DATA,
    "guidance_editing.download": FILE,
    "guidance_editing.pass_over": UPDATED,
    "guidance_editing.use": UPDATED,
    "help.mine": LEADS_ON,
    "model_texts.back_to_product": CHANGED,
    "own_guidance.download": FILE,
    "paper.scan": FILE,
    "positions.settle": WISHED,
    "recorded_selection.use": LEADS_ON,
    "reviews.conclude": LATER,
    "running.healthz": DATA,
    "security.mf_recovery": SIGNING_IN,
    "security.tf_select": CLOSED,
    "security.two_factor_rescue": CLOSED,
    "security.two_factor_setup": CLOSED,
    "security.two_factor_token_validation": SIGNING_IN,
    "security.wan_delete": CLOSED,
    "security.wan_signin": SIGNING_IN,
    "security.wan_verify": SIGNING_IN,
    "static": FILE,
    "undertaking_paper.scan": FILE,
    "undertakings.add_to_own": LEADS_ON,
    "visits.put_in_charge": ABANDONED,
    "words.download": FILE,
}
