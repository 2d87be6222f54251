# SPDX-License-Identifier: MIT
# cmake -P cmake/demo.cmake [-- options of "isoloop demo"]
# Configure, build the tool, and serve one echo application with every event loop of this machine.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

iso_script_arguments(arguments)
if("--help" IN_LIST arguments OR "-h" IN_LIST arguments)
    iso_say("cmake -P cmake/demo.cmake [-- options]

Configures and builds in build/default, then runs \"isoloop demo\": one echo server with many clients,
every byte checked, on each event loop of this machine in turn. Options go to it, as in
  cmake -P cmake/demo.cmake -- --backend selector:poll --connections 20 --messages 50
")
    iso_find_tool(tool)
    if(tool)
        execute_process(COMMAND ${tool} demo --help)
    else()
        iso_say("Once it is built, this also shows every option of \"isoloop demo\".")
    endif()
    return()
endif()

iso_build(default isoloop_tool)
iso_find_tool(tool)
if(NOT tool)
    iso_fail("The build ended well, but there is no isoloop in build/default/bin.")
endif()
iso_run("Run"
    HINT "Its own words are above; cmake -P cmake/demo.cmake -- --help explains the options."
    COMMAND ${tool} demo ${arguments}
)
