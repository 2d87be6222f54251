# SPDX-License-Identifier: MIT
# More than can be done in three seconds: the demo tells how it goes, gives up in time, and fails.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

run_tool(demo --json --backend selector --connections 2 --messages 1000000000 --timeout 3)
expect_code(1)
expect_json(OFF right)
expect_json(failed backends 0 outcome)
json_get(reason backends 0 reason)
expect_match(reason "of 2000000000 messages were back: it took too long")
expect_match(err "^  \\.\\.\\. selector:[a-z]+: [0-9,]+ of 2,000,000,000 messages echoed\r?\n")
