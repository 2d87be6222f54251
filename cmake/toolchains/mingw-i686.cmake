# SPDX-License-Identifier: MIT
# 32-bit Windows: compiled and linked, not run.
set(ISO_MINGW_TARGET i686-w64-mingw32)
include(${CMAKE_CURRENT_LIST_DIR}/mingw.cmake)
