# SPDX-License-Identifier: MIT
# 32-bit Windows, its tests run by Wine where that has a 32-bit part (Debian: wine32:i386).
set(ISO_MINGW_TARGET i686-w64-mingw32)
include(${CMAKE_CURRENT_LIST_DIR}/mingw.cmake)

find_program(ISO_WINE NAMES wine HINTS /opt/wine-stable/bin)
if(ISO_WINE AND (EXISTS /usr/lib/i386-linux-gnu/wine OR EXISTS /usr/lib/wine/i386-windows))
    set(CMAKE_CROSSCOMPILING_EMULATOR ${ISO_WINE})
endif()
