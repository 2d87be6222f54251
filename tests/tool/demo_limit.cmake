# SPDX-License-Identifier: MIT
# A limit below what was asked for is no failure: the demo names it, and goes on with those that
# fit. 512 sockets: one wakes the loop, one listens, and each connection takes two.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

set(demo demo --backend ${BACKEND} --limits windows-selector --connections 300 --messages 2)
run_tool(${demo} --json)
expect_code(0)
expect_json(ON right)
expect_json(windows-selector asked limits)
expect_json(right backends 0 outcome)
expect_json(255 backends 0 connections)
expect_json(510 backends 0 messages)
expect_json(45 backends 0 refused)
expect_json(windows.selector.max_sockets backends 0 limit id)

run_tool(${demo})
expect_code(0)
expect_match(out "255 of 300 .* 45 by windows.selector.max_sockets")
expect_match(out "windows.selector.max_sockets = 512: select is limited")
