# SPDX-License-Identifier: MIT
# What the scripts of this folder share.

# Run the tool with these arguments; sets code, out and err.
function(run_tool)
    execute_process(COMMAND ${EMULATOR} ${TOOL} ${ARGN}
        RESULT_VARIABLE code
        OUTPUT_VARIABLE out
        ERROR_VARIABLE err
    )
    string(REPLACE ";" " " arguments "${ARGN}")
    set(arguments "${arguments}" PARENT_SCOPE)
    set(code "${code}" PARENT_SCOPE)
    set(out "${out}" PARENT_SCOPE)
    set(err "${err}" PARENT_SCOPE)
endfunction()

function(fail what)
    message("isoloop ${arguments}\nexit code: ${code}\noutput:\n${out}\nerrors:\n${err}")
    message(FATAL_ERROR "${what}")
endfunction()

function(expect_code expected)
    if(NOT code STREQUAL "${expected}")
        fail("the exit code should be ${expected}")
    endif()
endfunction()

# The text in the variable of this name matches.
function(expect_match variable regex)
    if(NOT "${${variable}}" MATCHES "${regex}")
        fail("${variable} should match \"${regex}\"")
    endif()
endfunction()

# The value at a path of the JSON in `out`, which must be there.
function(json_get result)
    string(JSON value ERROR_VARIABLE error GET "${out}" ${ARGN})
    if(NOT error STREQUAL "NOTFOUND")
        fail("the JSON should have ${ARGN}: ${error}")
    endif()
    set(${result} "${value}" PARENT_SCOPE)
endfunction()

function(expect_json expected)
    json_get(value ${ARGN})
    if(NOT value STREQUAL "${expected}")
        fail("${ARGN} should be ${expected}, not ${value}")
    endif()
endfunction()
