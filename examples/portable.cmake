# SPDX-License-Identifier: MIT
# cmake -D PROGRAM=<file> -D EXPECTED=<file> -D FOLDER=<a folder of its own> [-D EMULATOR=...] -P
# Runs portable, and compares every line with those that are expected.
cmake_minimum_required(VERSION 3.21)

file(MAKE_DIRECTORY "${FOLDER}")
execute_process(
    COMMAND ${EMULATOR} ${PROGRAM}
    WORKING_DIRECTORY "${FOLDER}" # where its unix socket is, for a moment
    RESULT_VARIABLE code
    OUTPUT_VARIABLE out
    ERROR_VARIABLE errors
)
file(READ "${EXPECTED}" expected)
foreach(text IN ITEMS out errors expected)
    string(REPLACE "\r\n" "\n" ${text} "${${text}}")
endforeach()
if(NOT code STREQUAL "0" OR NOT errors STREQUAL "")
    message(FATAL_ERROR "It ended with ${code}.\n${out}${errors}")
endif()
if(NOT out STREQUAL expected)
    message(FATAL_ERROR "It said:\n${out}\nwhat is expected is:\n${expected}")
endif()
