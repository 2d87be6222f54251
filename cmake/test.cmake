# SPDX-License-Identifier: MIT
# cmake -P cmake/test.cmake [-- options]
# Configure, build, and run every test of this platform.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

# CMake takes -L and -N for itself, even behind the "--": they have longer names here.
set(flags -V -VV --verbose --rerun-failed --stop-on-failure --schedule-random)
set(valued -R -E -LE -j --parallel --repeat --timeout)

set(help "cmake -P cmake/test.cmake [-- options]

Configures and builds in build/default, then runs every test of this platform. Options:
  --preset NAME     another build: debug, shared, asan, tsan; on Linux windows, kqueue too
  -R REGEX          only tests whose name matches: -R stream, -R @selector-poll
  -E REGEX          all but those
  --label REGEX     only tests of a room, or of a backend: --label io, --label selector-poll
  -LE REGEX         all but those
  --list            only list them
  -V, -VV           show what they print
  -j N              how many at a time; else one for each core
and, as in ctest: --rerun-failed, --stop-on-failure, --schedule-random, --repeat, --timeout.")

iso_script_arguments(arguments)
set(preset default)
set(selection)
while(arguments)
    list(POP_FRONT arguments argument)
    if(argument STREQUAL "--help" OR argument STREQUAL "-h")
        iso_say("${help}")
        return()
    elseif(argument IN_LIST flags)
        list(APPEND selection ${argument})
    elseif(argument STREQUAL "--list")
        list(APPEND selection -N)
    elseif(argument IN_LIST valued OR argument STREQUAL "--preset" OR argument STREQUAL "--label")
        if(NOT arguments)
            iso_fail("${argument} needs a value; cmake -P cmake/test.cmake -- --help explains it.")
        endif()
        list(POP_FRONT arguments value)
        if(argument STREQUAL "--preset")
            set(preset "${value}")
        elseif(argument STREQUAL "--label")
            list(APPEND selection -L "${value}")
        else()
            list(APPEND selection ${argument} "${value}")
        endif()
    else()
        iso_fail("There is no option '${argument}'; cmake -P cmake/test.cmake -- --help lists them. \
(For ctest's -L and -N say --label and --list.)")
    endif()
endwhile()
if(NOT "-j" IN_LIST selection AND NOT "--parallel" IN_LIST selection)
    iso_cores(cores)
    list(PREPEND selection --parallel ${cores})
endif()

iso_build(${preset})
iso_run("Test"
    HINT "What each failed test printed is above; -- --rerun-failed runs only those again."
    COMMAND ${CMAKE_CTEST_COMMAND} --preset ${preset} --output-on-failure --no-tests=error
        ${selection}
)
if(NOT "-N" IN_LIST selection)
    iso_say("Every test that was chosen passed, or was skipped, as listed above.")
endif()
