#!/bin/sh
# SPDX-License-Identifier: MIT
# wine.sh start|stop <wine> <wineserver>: the Wine that a test run needs, in $WINEPREFIX.
set -eu
step=$1 wine=$2 wineserver=$3

# Nothing that stays may hold the pipes of the caller, or CTest waits for its end.
quietly() { "$@" >/dev/null 2>&1 </dev/null; }

case $step in
start)
    if [ ! -f "$WINEPREFIX/.made" ]; then
        echo "making $WINEPREFIX"
        rm -rf "$WINEPREFIX"
        mkdir -p "$WINEPREFIX"
        quietly "$wine" wineboot -i || { echo "wineboot failed: $wine wineboot -i"; exit 1; }
        # A new prefix says Windows 7.
        quietly "$wine" winecfg -v win10 || { echo "winecfg failed: $wine winecfg -v win10"; exit 1; }
        quietly "$wineserver" -w
        touch "$WINEPREFIX/.made"
    fi
    # -k ends one that a broken run left behind, with its sockets.
    quietly "$wineserver" -k || true
    quietly "$wineserver" -p600
    quietly "$wine" cmd /c exit || { echo "Wine runs nothing: $wine cmd /c exit"; exit 1; }
    ;;
stop)
    quietly "$wineserver" -k || true
    ;;
*)
    echo "wine.sh: start or stop, not '$step'"
    exit 2
    ;;
esac
