"""The form on which a person accepts a role, with a proof of identity."""

from tracker.ui.proof import ProofFields


class AcceptForm(ProofFields):
    """Fresh proof of identity, on the very form on which a role is accepted."""
