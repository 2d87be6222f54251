# SPDX-License-Identifier: MIT
# docs/platforms.md (PAGE) is what `isoloop limits --markdown` prints; and a page that is not is
# found out, which changed copies in WORK show.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

file(READ "${PAGE}" page)
string(REPLACE "\r" "" page "${page}")
run_tool(limits --markdown)
expect_code(0)
string(REPLACE "\r" "" out "${out}")
if(NOT out STREQUAL page)
    message(FATAL_ERROR "${PAGE} is stale: cmake -P cmake/platforms.cmake writes it again")
endif()
if(NOT WORK)
    return()
endif()

# This check, of a page in WORK: sets result and said.
function(check_copy name content)
    file(WRITE "${WORK}/${name}.md" "${content}")
    execute_process(
        COMMAND ${CMAKE_COMMAND} -DTOOL=${TOOL} "-DEMULATOR=${EMULATOR}" -DPAGE=${WORK}/${name}.md
            -P ${CMAKE_CURRENT_LIST_FILE}
        RESULT_VARIABLE result
        OUTPUT_VARIABLE said
        ERROR_VARIABLE said
    )
    set(result "${result}" PARENT_SCOPE)
    set(said "${said}" PARENT_SCOPE)
endfunction()

check_copy(same "${page}")
if(NOT result EQUAL 0)
    message(FATAL_ERROR "a copy of the page should do: ${said}")
endif()
string(REPLACE "windows.signals" "windows.signal" changed "${page}")
foreach(stale IN ITEMS "${changed}" "${page}\n")
    check_copy(stale "${stale}")
    if(result EQUAL 0 OR NOT said MATCHES "is stale")
        message(FATAL_ERROR "a changed page should be found out: ${said}")
    endif()
endforeach()
