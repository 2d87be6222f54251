# SPDX-License-Identifier: MIT
# What demo.cmake, platforms.cmake and test.cmake share. They run anywhere: the root is beside this file.

get_filename_component(ISO_ROOT "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)

# Say something, at once, where the commands in between write too.
function(iso_say text)
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${text}")
endfunction()

# End with a sentence, and an exit code that is not 0.
function(iso_fail text)
    if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.29)
        message(NOTICE "${text}")
        cmake_language(EXIT 1)
    endif()
    message(FATAL_ERROR "${text}")
endfunction()

# Everything after "--" on the command line.
function(iso_script_arguments out)
    set(arguments)
    set(collecting OFF)
    math(EXPR last "${CMAKE_ARGC} - 1")
    foreach(index RANGE ${last})
        if(collecting)
            list(APPEND arguments "${CMAKE_ARGV${index}}")
        elseif(CMAKE_ARGV${index} STREQUAL "--")
            set(collecting ON)
        endif()
    endforeach()
    set(${out} "${arguments}" PARENT_SCOPE)
endfunction()

function(iso_cores out)
    cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
    if(cores LESS 1)
        set(cores 1)
    endif()
    set(${out} ${cores} PARENT_SCOPE)
endfunction()

# Run a command with this terminal, or end with: <what> failed (...). <hint>
#   iso_run(<what> HINT <sentence> COMMAND ...)
function(iso_run what)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "HINT" "COMMAND")
    list(JOIN arg_COMMAND " " line)
    string(REPLACE "${CMAKE_COMMAND}" "cmake" line "${line}")
    string(REPLACE "${CMAKE_CTEST_COMMAND}" "ctest" line "${line}")
    iso_say("${what}: ${line}")
    execute_process(COMMAND ${arg_COMMAND} WORKING_DIRECTORY "${ISO_ROOT}" RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        iso_fail("${what} failed (${result}). ${arg_HINT}
The command, to look at it by itself, in ${ISO_ROOT}:
  ${line}")
    endif()
endfunction()

# On Windows CMake's choice is Visual Studio. Where only gcc is there, choose what it comes with.
function(iso_choose_generator)
    if(NOT CMAKE_HOST_WIN32 OR DEFINED ENV{CMAKE_GENERATOR})
        return()
    endif()
    set(programs "ProgramFiles(x86)")
    if(EXISTS "$ENV{${programs}}/Microsoft Visual Studio/Installer/vswhere.exe")
        return()
    endif()
    find_program(gcc gcc NO_CACHE)
    find_program(ninja ninja NO_CACHE)
    find_program(make mingw32-make NO_CACHE)
    if(gcc AND ninja)
        set(ENV{CMAKE_GENERATOR} "Ninja")
    elseif(gcc AND make)
        set(ENV{CMAKE_GENERATOR} "MinGW Makefiles")
    endif()
endfunction()

# Configure and build a preset, or one target of it.
function(iso_build preset)
    iso_choose_generator()
    iso_cores(cores)
    iso_run("Configure"
        HINT "It needs a C compiler and a build program: gcc or clang and make on Linux and the BSDs, \
xcode-select --install on macOS, Visual Studio 2022 (C++) or mingw-w64 on Windows. If they are there, \
delete the folder build/${preset} and try again."
        COMMAND ${CMAKE_COMMAND} --preset ${preset}
    )
    set(targets)
    if(ARGN)
        set(targets --target ${ARGN})
    endif()
    iso_run("Build"
        HINT "The compiler's own words are above."
        COMMAND ${CMAKE_COMMAND} --build --preset ${preset} --parallel ${cores} ${targets}
    )
endfunction()

# Where the tool lies in build/default: beside the other programs, or in a folder of the
# configuration. Empty when it is not built.
function(iso_find_tool out)
    set(${out} "" PARENT_SCOPE)
    set(bin "${ISO_ROOT}/build/default/bin")
    foreach(path IN ITEMS "${bin}/isoloop" "${bin}/isoloop.exe" "${bin}/RelWithDebInfo/isoloop"
        "${bin}/RelWithDebInfo/isoloop.exe")
        if(EXISTS "${path}")
            set(${out} "${path}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()
