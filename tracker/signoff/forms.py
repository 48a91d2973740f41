"""Forms of signing that belong to no text: the proof with which somebody accepts a role."""

from tracker.ui.proof import ProofFields


class AcceptForm(ProofFields):
    """Fresh proof of identity, on the very form on which a role is accepted."""
