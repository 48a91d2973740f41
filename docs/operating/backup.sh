#!/bin/sh
# Makes a backup with the time in its name, then deletes those that are older than some days. Files with another name, such
# as one made by hand before an update, are left alone.
# Usage: backup.sh TRACKER FOLDER DAYS OPTION...
# TRACKER is the command; the options are those of "tracker backup", such as --to age1...
set -eu
tracker=$1
folder=$2
days=$3
shift 3
"$tracker" backup "$folder/terms-$(date -u +%Y-%m-%dT%H%M%SZ).age" "$@"
# Only after a new one was made, so that the last is never deleted.
find "$folder" -maxdepth 1 -type f -name 'terms-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*.age' -mtime "+$days" -delete
