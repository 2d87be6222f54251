# SPDX-License-Identifier: MIT
# cmake -D INCLUDE=<headers> -D NM=<nm> -D LIBRARY=<file> -D TYPE=<target type> -D SYSTEM=<system>
#       [-D STANDIN=ON] [-D SYMBOLS=<a file of nm's output>] -P exports.cmake
# Every function that a public header declares is in the library; a shared library shows those and
# nothing else, a static one has no global name that could meet one of the user's.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/read.cmake)

# ---- what the headers declare --------------------------------------------------------------------

set(declared)
file(GLOB_RECURSE headers "${INCLUDE}/*.h")
foreach(header IN LISTS headers)
    read_code("${header}" code)
    string(REGEX MATCHALL "\nISO_API [^(;]*[ *]iso_[a-z0-9_]+\\(" declarations "${code}")
    string(REGEX MATCHALL "\nISO_API " marks "${code}")
    list(LENGTH declarations understood)
    list(LENGTH marks meant)
    if(NOT understood EQUAL meant)
        finding("${header}: ${meant} lines begin with ISO_API, ${understood} are declarations")
    endif()
    foreach(declaration IN LISTS declarations)
        string(REGEX MATCH "(iso_[a-z0-9_]+)\\($" ignored "${declaration}")
        list(APPEND declared ${CMAKE_MATCH_1})
    endforeach()
endforeach()
list(SORT declared)
list(LENGTH declared count)
if(count EQUAL 0)
    finding("No header in ${INCLUDE} declares anything")
endif()

# ---- what the library has ------------------------------------------------------------------------

if(SYMBOLS)
    file(READ "${SYMBOLS}" output)
else()
    set(flags -g)
    if(TYPE STREQUAL "SHARED_LIBRARY" AND NOT SYSTEM STREQUAL "Windows")
        set(flags -D)
    endif()
    execute_process(COMMAND ${NM} ${flags} -P "${LIBRARY}" OUTPUT_VARIABLE output
        RESULT_VARIABLE result
    )
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${NM} ${flags} -P ${LIBRARY} failed.")
    endif()
endif()
string(REGEX MATCHALL "(^|\n)[A-Za-z0-9_.$]+ [ABCDGRSTVWi] " lines "${output}")
set(defined)
foreach(line IN LISTS lines)
    string(REGEX REPLACE "[\n ]" ";" parts "${line}")
    list(REMOVE_ITEM parts "")
    list(GET parts 0 name)
    list(APPEND defined ${name})
endforeach()
# 32-bit Windows puts an underscore in front of every name.
if(SYSTEM STREQUAL "Windows" AND NOT "iso_version" IN_LIST defined)
    list(TRANSFORM defined REPLACE "^_" "")
endif()

foreach(name IN LISTS declared)
    if(NOT name IN_LIST defined)
        finding("${name} is declared and not defined")
    endif()
endforeach()

# Names that begin with an underscore or hold a dot are the compiler's and the linker's. A DLL's list
# is not looked at: it shows what is marked, and nm lists the whole of the C runtime beside it.
if(NOT SYSTEM STREQUAL "Windows")
    foreach(name IN LISTS defined)
        if(name MATCHES "^_|\\." OR (STANDIN AND name MATCHES "^(kqueue|kevent)"))
            continue()
        endif()
        if(TYPE STREQUAL "SHARED_LIBRARY" AND NOT name IN_LIST declared)
            finding("${name} is exported and in no public header")
        elseif(NOT name MATCHES "^iso_")
            finding("${name} is a global name that does not begin with iso_")
        endif()
    endforeach()
endif()
conclude("${count} functions of the API")
