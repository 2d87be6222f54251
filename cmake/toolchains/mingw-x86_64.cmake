# SPDX-License-Identifier: MIT
# 64-bit Windows, its tests run by Wine where there is one.
set(ISO_MINGW_TARGET x86_64-w64-mingw32)
include(${CMAKE_CURRENT_LIST_DIR}/mingw.cmake)

find_program(ISO_WINE NAMES wine wine64 HINTS /usr/lib/wine /usr/lib64/wine /opt/wine-stable/bin)
if(ISO_WINE)
    set(CMAKE_CROSSCOMPILING_EMULATOR ${ISO_WINE})
endif()
