#!/bin/sh
# SPDX-License-Identifier: MIT
# wine-run.sh <wine> <program> [argument...]: run a test, and end with its code.
#
# What it writes goes by way of a file. A console that Wine made for a child (conhost) can outlive
# everything else, and CTest waits until nobody holds the pipe that it reads from.
#
# Now and then a Wine 8 program does not start where addresses are drawn at random, so they are not,
# if that can be asked for.
set -u
fixed=
setarch -R true 2>/dev/null && fixed='setarch -R'

output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
$fixed "$@" >"$output" 2>&1
code=$?
cat "$output"
exit "$code"
