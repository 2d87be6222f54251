# SPDX-License-Identifier: MIT
# cmake -D ROOT=<tree> -P presets.cmake
# CMakePresets.json is read by CMake, and what can be configured can be built under the same name.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/read.cmake)

execute_process(COMMAND ${CMAKE_COMMAND} --list-presets=all
    WORKING_DIRECTORY "${ROOT}" RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE error
)
if(NOT result EQUAL 0)
    finding("CMake does not take CMakePresets.json: ${error}")
    conclude("CMakePresets.json")
endif()

file(READ "${ROOT}/CMakePresets.json" json)

# The names of the presets in a list of the file, the hidden ones left out.
function(names_of list out)
    set(names)
    string(JSON count LENGTH "${json}" ${list})
    math(EXPR last "${count} - 1")
    foreach(index RANGE ${last})
        string(JSON hidden ERROR_VARIABLE ignored GET "${json}" ${list} ${index} hidden)
        if(NOT hidden STREQUAL "ON")
            string(JSON name GET "${json}" ${list} ${index} name)
            list(APPEND names ${name})
        endif()
    endforeach()
    set(${out} ${names} PARENT_SCOPE)
endfunction()

names_of(configurePresets configure)
names_of(buildPresets build)
names_of(testPresets test)
if(NOT configure STREQUAL build)
    finding("configurePresets (${configure}) and buildPresets (${build}) differ")
endif()
list(REMOVE_ITEM configure bench) # it has no tests
if(NOT configure STREQUAL test)
    finding("configurePresets (${configure}) and testPresets (${test}) differ")
endif()
conclude("CMakePresets.json")
