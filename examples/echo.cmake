# SPDX-License-Identifier: MIT
# Runs echo_server and echo_client as a pipeline: the client reads the free port that the server
# took from the server's first line.
cmake_minimum_required(VERSION 3.21)

execute_process(
    COMMAND ${EMULATOR} ${SERVER} ${BACKEND} 0 1
    COMMAND ${EMULATOR} ${CLIENT}
    RESULTS_VARIABLE codes
    OUTPUT_VARIABLE out
)
message("${out}")
if(NOT codes STREQUAL "0;0")
    message(FATAL_ERROR "The server and the client ended with ${codes}, not with 0;0.")
endif()
foreach(line IN ITEMS
    "server: listening on 127\\.0\\.0\\.1:[0-9]+ \\(${BACKEND}\\)"
    "echoed: a line"
    "echoed: the same line, a little longer"
    "echoed: and the last one"
)
    if(NOT out MATCHES "${line}")
        message(FATAL_ERROR "\"${line}\" was not printed.")
    endif()
endforeach()
