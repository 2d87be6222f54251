# SPDX-License-Identifier: MIT
# cmake -D ROOT=<tree> -P floors.cmake
# A file sees its own room and lower floors only (docs/architecture.md), and a word that belongs to
# one platform stays there.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/read.cmake)

# ---- the floors ----------------------------------------------------------------------------------

set(floor_base 0)
set(floor_sys 1)
set(floor_engine 2)
set(floor_loop 3)
set(floor_io 4)
set(floor_ioloop 5)
set(floor_kernel 5)

# The systems implement floor 1 and the seams of floor 2.
set(system_sees "^(base/.*|sys/.*|engine/(poller|driver|op)\\.h)$")

# In the common code: C11, and what it lacks only where it is wrapped.
set(c11 assert ctype float inttypes limits math setjmp stdalign stdarg stdbool stddef stdint stdio
    stdlib stdnoreturn string time)
set(wrapped_stdatomic.h src/common/base/atomic.h)
set(wrapped_intrin.h src/common/base/atomic.h)

# Whether the file may include "name"; `why` is empty then.
function(judge_quoted file name why)
    get_filename_component(folder ${file} DIRECTORY)
    set(${why} "" PARENT_SCOPE)
    if(name MATCHES "^isoloop(/[a-z_]+)?\\.h$")
        return()
    endif()
    if(name MATCHES "^\\.\\.?/")
        set(${why} "walks through folders" PARENT_SCOPE)
    elseif(NOT name MATCHES "/")
        if(file MATCHES "^src/common/" OR NOT EXISTS "${ROOT}/${folder}/${name}")
            set(${why} "is not named by its room" PARENT_SCOPE)
        endif()
    elseif(file MATCHES "^src/(posix|win32)/")
        if(NOT name MATCHES "${system_sees}")
            set(${why} "is above base, sys and the seams of engine" PARENT_SCOPE)
        endif()
    elseif(file MATCHES "^src/common/([a-z]+)/")
        set(own ${CMAKE_MATCH_1})
        string(REGEX REPLACE "/.*" "" room ${name})
        if(NOT DEFINED floor_${own} OR NOT DEFINED floor_${room})
            set(${why} "is in a room without a floor" PARENT_SCOPE)
        elseif(NOT own STREQUAL room AND NOT floor_${room} LESS floor_${own})
            set(${why} "is not below ${own}" PARENT_SCOPE)
        endif()
    elseif(NOT EXISTS "${ROOT}/${folder}/${name}")
        # Tools and examples are users: the API, and what is their own, is all they see.
        set(${why} "is not the public API" PARENT_SCOPE)
    endif()
endfunction()

function(judge_angled file name why)
    set(${why} "" PARENT_SCOPE)
    string(REGEX REPLACE "\\.h$" "" stem ${name})
    if(name MATCHES "^isoloop" OR stem IN_LIST c11)
        return()
    endif()
    if(file MATCHES "^src/common/" AND NOT file STREQUAL "src/common/sys/sys.h"
        AND NOT file STREQUAL "${wrapped_${name}}")
        set(${why} "is not plain C11" PARENT_SCOPE)
    endif()
endfunction()

function(check_includes file code)
    string(REGEX MATCHALL "#[ \t]*include[ \t]*[<\"][^>\"\n]+[>\"]" includes "${code}")
    foreach(include IN LISTS includes)
        string(REGEX MATCH "([<\"])([^>\"]+)" ignored "${include}")
        if(CMAKE_MATCH_1 STREQUAL "<")
            judge_angled(${file} ${CMAKE_MATCH_2} why)
        else()
            judge_quoted(${file} ${CMAKE_MATCH_2} why)
        endif()
        if(why)
            line_of("${code}" "${include}" line)
            finding("${file}:${line}: ${include}: ${why}")
        endif()
    endforeach()
endfunction()

# ---- the words -----------------------------------------------------------------------------------

# Where the word is a finding, where it is not, and why.
function(check_word file code word where except why)
    if(NOT file MATCHES "${where}" OR file MATCHES "${except}")
        return()
    endif()
    if("${code}" MATCHES "(^|[^A-Za-z0-9_])(${word})($|[^A-Za-z0-9_])")
        line_of("${code}" "${CMAKE_MATCH_0}" line)
        finding("${file}:${line}: ${CMAKE_MATCH_2}: ${why}")
    endif()
endfunction()

function(check_words file code)
    check_word(${file} "${code}"
        "_WIN32|_WIN64|__linux__|__APPLE__|__unix__|__FreeBSD__|__NetBSD__|__OpenBSD__"
        "^(src/common|tools|examples)/" "^src/common/sys/sys\\.h$"
        "a platform is asked for in sys/sys.h only"
    )
    check_word(${file} "${code}" "errno" "^src/" "^src/posix/" "belongs to src/posix")
    check_word(${file} "${code}" "GetLastError|WSAGetLastError" "^src/" "^src/win32/"
        "belongs to src/win32")
    check_word(${file} "${code}" "abort|exit|quick_exit" "^src/" "^$"
        "a library ends no program")
    # A child that could not become another program is none of the caller's.
    check_word(${file} "${code}" "_exit" "^src/" "^src/posix/spawn_run\\.c$"
        "a library ends no program")
endfunction()

# ---- all of it -----------------------------------------------------------------------------------

set(count 0)
foreach(folder IN ITEMS src tools examples)
    file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${folder}/*.c" "${ROOT}/${folder}/*.h")
    foreach(file IN LISTS files)
        read_code("${ROOT}/${file}" code)
        check_includes(${file} "${code}")
        check_words(${file} "${code}")
        math(EXPR count "${count} + 1")
    endforeach()
endforeach()
if(count EQUAL 0)
    finding("There is no C file in ${ROOT}: is this the root?")
endif()
conclude("the floors of ${count} files")
