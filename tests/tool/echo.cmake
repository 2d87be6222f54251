# SPDX-License-Identifier: MIT
# `isoloop echo` on one BACKEND, talked to by the echo client of the examples (CLIENT), which reads
# the address from the line that the server prints.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

# The client's exit code in code, what it printed in out.
function(talk)
    execute_process(
        COMMAND ${EMULATOR} ${TOOL} echo --port 0 --backend ${BACKEND} ${ARGN}
        COMMAND ${EMULATOR} ${CLIENT}
        RESULTS_VARIABLE code
        OUTPUT_VARIABLE out
        ERROR_VARIABLE err
    )
    set(arguments "echo ${ARGN} | echo_client" PARENT_SCOPE)
    set(code "${code}" PARENT_SCOPE)
    set(out "${out}" PARENT_SCOPE)
    set(err "${err}" PARENT_SCOPE)
endfunction()

talk(--once)
expect_code("0;0")
expect_match(out "server: listening on 127\\.0\\.0\\.1:[0-9]+ \\(${BACKEND}\\)")
expect_match(out "server: served 1 connection, [1-9][0-9]* bytes")

talk(--max-connections 1 --host=localhost)
expect_code("0;0")
expect_match(out "server: listening on .*:[0-9]+ \\(${BACKEND}\\)")

# An address that is not one of this machine's.
run_tool(echo --port 0 --backend ${BACKEND} --host 192.0.2.1)
expect_code(1)
expect_match(out "^$")
expect_match(err "^isoloop echo: no server: [^\n]+\n$")
