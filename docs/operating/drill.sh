#!/bin/sh
# Restores the newest backup of a folder, by the time in its name, into an instance that is empty before and deleted
# afterwards.
# Usage: drill.sh TRACKER FOLDER OPTION...
# TRACKER is the command; the options are those of "tracker restore", such as --identity FILE.
set -eu
tracker=$1
folder=$2
shift 2
# By the time in its name, which backup.sh writes: copying a file to another machine may give it another time.
newest=$(find "$folder" -maxdepth 1 -type f -name 'terms-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*.age' |
    LC_ALL=C sort | tail -n 1)
[ -n "$newest" ] || {
    printf 'There is no backup with a day in its name in %s.\n' "$folder" >&2
    exit 1
}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'exit 1' HUP INT TERM
# Never into the database of the instance itself.
unset TRACKER_DATABASE_URL
begun=$(date +%s)
TRACKER_DATA_DIR="$place/instance" "$tracker" restore "$newest" "$@"
printf 'Restored and verified %s in %d seconds.\n' "$newest" "$(($(date +%s) - begun))"
