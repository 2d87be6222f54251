# SPDX-License-Identifier: MIT
# What the lint scripts share.

# The text of a C file with its comments blanked out; the lines stay where they are.
function(read_code path out)
    file(READ "${path}" rest)
    set(code "")
    while(TRUE)
        string(FIND "${rest}" "/*" start)
        if(start LESS 0)
            break()
        endif()
        string(SUBSTRING "${rest}" 0 ${start} before)
        string(SUBSTRING "${rest}" ${start} -1 rest)
        string(FIND "${rest}" "*/" end)
        if(end LESS 0)
            set(comment "${rest}")
            set(rest "")
        else()
            math(EXPR end "${end} + 2")
            string(SUBSTRING "${rest}" 0 ${end} comment)
            string(SUBSTRING "${rest}" ${end} -1 rest)
        endif()
        string(REGEX REPLACE "[^\n]+" " " comment "${comment}")
        string(APPEND code "${before}${comment}")
    endwhile()
    set(${out} "${code}${rest}" PARENT_SCOPE)
endfunction()

# The number of the line of `code` that `text` first stands in.
function(line_of code text out)
    string(FIND "${code}" "${text}" at)
    string(SUBSTRING "${code}" 0 ${at} before)
    string(REGEX REPLACE "[^\n]" "" newlines "${before}")
    string(LENGTH "${newlines}" line)
    math(EXPR line "${line} + 1")
    set(${out} ${line} PARENT_SCOPE)
endfunction()

set_property(GLOBAL PROPERTY findings 0)

# One thing that is wrong; the check goes on and finds the others too.
function(finding text)
    get_property(count GLOBAL PROPERTY findings)
    math(EXPR count "${count} + 1")
    set_property(GLOBAL PROPERTY findings ${count})
    message(NOTICE "${text}")
endfunction()

# End the check: with a failure when there was any finding.
function(conclude subject)
    get_property(count GLOBAL PROPERTY findings)
    if(count GREATER 0)
        message(FATAL_ERROR "${count} found in ${subject}.")
    endif()
    message(NOTICE "Nothing found in ${subject}.")
endfunction()
