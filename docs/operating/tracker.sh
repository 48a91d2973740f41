#!/bin/sh
# Runs a command as the service does: as its user and with its settings. For root.
# Usage: tracker.sh COMMAND...    for example: tracker.sh invite ada@npm.example --name "Ada Example"
set -eu
code=${COMMON_TERMS_CODE:-/srv/common-terms}
user=${COMMON_TERMS_USER:-common-terms}
set -a
TRACKER_DATA_DIR=/var/lib/common-terms
. "${COMMON_TERMS_SETTINGS:-/etc/common-terms/settings}"
set +a
cd "$code"
exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups .venv/bin/tracker "$@"
