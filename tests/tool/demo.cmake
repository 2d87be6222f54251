# SPDX-License-Identifier: MIT
# `isoloop demo` on one BACKEND: every message comes back, and the numbers belong together.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

function(expect_demo connections messages size)
    run_tool(demo --json --backend ${BACKEND}
        --connections ${connections} --messages=${messages} --size ${size}
    )
    math(EXPR all "${connections} * ${messages}")
    expect_code(0)
    expect_json(ON right)
    expect_json(${connections} asked connections)
    expect_json(${BACKEND} backends 0 backend)
    expect_json(right backends 0 outcome)
    expect_json(${connections} backends 0 connections)
    expect_json(${all} backends 0 messages)
    expect_json(0 backends 0 refused)
    json_get(turns backends 0 turns)
    json_get(median backends 0 median_us)
    json_get(p99 backends 0 p99_us)
    # At the least, a turn to echo and a turn to come back for each message of a connection.
    if(turns LESS messages OR median GREATER p99)
        fail("the numbers do not belong together")
    endif()
endfunction()

expect_demo(1 1 1)
expect_demo(1 50 64)
expect_demo(20 20 1000)
expect_demo(3 3 1048576)

run_tool(demo --backend ${BACKEND} --connections 2 --messages 3)
expect_code(0)
expect_match(out "${BACKEND}[ *]+2 +6 ")
expect_match(out "All right: every byte came back unchanged, on 1 backend\\.")
expect_match(err "^$")
