"""The form on which a person accepts a role, with a proof of identity."""

from tracker.ui.proof_fields import ProofFields


class AcceptForm(ProofFields):
    """Proof of identity on the form on which a role is accepted."""
