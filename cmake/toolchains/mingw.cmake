# SPDX-License-Identifier: MIT
# mingw-w64 on another system; the two files beside this one set ISO_MINGW_TARGET.

set(CMAKE_SYSTEM_NAME Windows)
string(REGEX REPLACE "-.*" "" CMAKE_SYSTEM_PROCESSOR ${ISO_MINGW_TARGET})

set(CMAKE_C_COMPILER ${ISO_MINGW_TARGET}-gcc)
set(CMAKE_RC_COMPILER ${ISO_MINGW_TARGET}-windres)
set(CMAKE_FIND_ROOT_PATH /usr/${ISO_MINGW_TARGET})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

# No DLL of the compiler's own, so that a program runs where it lies.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -static-libgcc)
