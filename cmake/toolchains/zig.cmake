# SPDX-License-Identifier: MIT
# Compile and link for another system with zig cc, which brings the C library of each along.
#   cmake -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/zig.cmake -DISO_ZIG_TARGET=aarch64-macos
# zig is looked for in PATH; ISO_ZIG says where else it is.

if(NOT ISO_ZIG)
    find_program(ISO_ZIG zig)
endif()
if(NOT ISO_ZIG OR NOT ISO_ZIG_TARGET)
    message(FATAL_ERROR "ISO_ZIG_TARGET names the system, as aarch64-macos; zig must be in PATH, or ISO_ZIG.")
endif()
# try_compile reads this file again, in a project of its own.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ISO_ZIG ISO_ZIG_TARGET)

set(iso_system_freebsd FreeBSD)
set(iso_system_linux Linux)
set(iso_system_macos Darwin)
set(iso_system_netbsd NetBSD)
set(iso_system_openbsd OpenBSD)
set(iso_system_windows Windows)
string(REGEX MATCH "^([^-]+)-([a-z]+)" ignored ${ISO_ZIG_TARGET})
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_MATCH_1})
set(CMAKE_SYSTEM_NAME ${iso_system_${CMAKE_MATCH_2}})
if(NOT CMAKE_SYSTEM_NAME)
    message(FATAL_ERROR "ISO_ZIG_TARGET=${ISO_ZIG_TARGET} names no system that isoloop knows.")
endif()

set(CMAKE_C_COMPILER ${ISO_ZIG} cc -target ${ISO_ZIG_TARGET})

if(CMAKE_SYSTEM_NAME STREQUAL "Windows")
    # zig defines _WIN32_WINNT too, as another spelling of the same number.
    set(CMAKE_C_FLAGS_INIT -Wno-macro-redefined)
endif()

# CMake wants one file for each of these.
foreach(tool IN ITEMS ar ranlib)
    string(TOUPPER ${tool} name)
    set(CMAKE_${name} ${CMAKE_BINARY_DIR}/zig-${tool})
    file(WRITE ${CMAKE_${name}} "#!/bin/sh\nexec \"${ISO_ZIG}\" ${tool} \"$@\"\n")
    file(CHMOD ${CMAKE_${name}} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endforeach()
# Asked for on macOS, and not used: nothing is installed from such a build.
set(CMAKE_INSTALL_NAME_TOOL ${CMAKE_RANLIB})

set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE NEVER)
