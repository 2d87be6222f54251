# SPDX-License-Identifier: MIT
# The tool around an echo that changes byte 1000 of its third connection (LIAR) must say just that.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)
set(TOOL ${LIAR})

run_tool(demo --json --backend selector --connections 5 --messages 50 --size 64)
expect_code(1)
expect_json(OFF right)
expect_json(failed backends 0 outcome)
json_get(reason backends 0 reason)
expect_match(reason "^wrong byte: connection 3, byte 1000 of its stream: sent 0x[0-9a-f]+, got back 0x")

run_tool(demo --backend selector --connections 5 --messages 50 --size 64)
expect_code(1)
expect_match(out "FAILED: wrong byte: connection 3")
expect_match(out "FAILED on 1 of 1 backends")

# What it does not reach is right.
run_tool(demo --json --backend selector --connections 2 --messages 50 --size 64)
expect_code(0)
