# SPDX-License-Identifier: MIT
# `isoloop probe` tries the backends of this platform (BACKENDS), and fails when it is asked for one
# that is not here. A process with few descriptors says what it could not try, and agrees.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)
string(REPLACE "," ";" here "${BACKENDS}")

run_tool(probe --row windows.clock --row all.pipe_kind)
expect_code(0)
expect_match(out "tried on this machine under the profile documented")
foreach(name IN LISTS here)
    expect_match(out "\n${name}\r?\n  ok +windows.clock ")
endforeach()

run_tool(backends --json)
string(JSON count LENGTH "${out}" backends)
set(listed "${out}")
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
    string(JSON name GET "${listed}" backends ${i} backend)
    string(JSON available GET "${listed}" backends ${i} available)
    if(NOT available)
        run_tool(probe --row windows.clock --backend ${name})
        expect_code(1)
        expect_match(err "^isoloop probe: ${name}: [^\n]+\n$")
    endif()
endforeach()

if(CMAKE_HOST_UNIX AND EMULATOR STREQUAL "")
    execute_process(COMMAND sh -c "ulimit -n 150 && exec \"$0\" probe" ${TOOL}
        RESULT_VARIABLE code
        OUTPUT_VARIABLE out
        ERROR_VARIABLE err
    )
    set(arguments "probe, with 150 descriptors")
    expect_code(0)
    expect_match(out "  not tried +windows.selector.max_sockets ")
    expect_match(out "table and the system agree: [0-9]+ agree, 0 FAILED, [1-9][0-9]* not tried")

    execute_process(COMMAND sh -c "exec \"$0\" probe <&-" ${TOOL}
        RESULT_VARIABLE code
        OUTPUT_VARIABLE out
        ERROR_VARIABLE err
    )
    set(arguments "probe, without a standard input")
    expect_code(0)
endif()
