"""Unit tests of backups."""
