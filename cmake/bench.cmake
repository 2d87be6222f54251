# SPDX-License-Identifier: MIT
# cmake -P cmake/bench.cmake [-- options of bench/suite/run.py]
# Configure, build and run the benchmark suite: isoloop, its peers and the bare system, side by side.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

iso_script_arguments(arguments)
find_program(python NAMES python3 python NO_CACHE)
if(NOT python)
    iso_fail("The suite is run by a program in Python, and there is no python3 here.")
endif()
set(run ${python} -B "${ISO_ROOT}/bench/suite/run.py")
if("--help" IN_LIST arguments OR "-h" IN_LIST arguments)
    iso_say("cmake -P cmake/bench.cmake [-- options]

Configures and builds in build/bench, then runs the suite. Options go to it:
")
    execute_process(COMMAND ${run} --help)
    return()
endif()
iso_build(bench)
iso_run("Bench"
    HINT "Its own words are above; cmake -P cmake/bench.cmake -- --help explains the options."
    COMMAND ${run} --bin "${ISO_ROOT}/build/bench/bench/bin" ${arguments}
)
