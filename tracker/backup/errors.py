"""The errors of backups: why one can't be made, or can't be restored."""

NOT_OURS = (
    "A row was changed outside the application and can't be read. Run tracker audit verify, and "
    "copy the database by its own means."
)


class BackupError(Exception):
    """Raised when a backup can't be made or restored; the message says why in one line."""
