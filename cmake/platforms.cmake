# SPDX-License-Identifier: MIT
# cmake -P cmake/platforms.cmake
# Configure, build the tool, and write docs/platforms.md out of the limits table of the library.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

iso_build(default isoloop_tool)
iso_find_tool(tool)
if(NOT tool)
    iso_fail("The build ended well, but there is no isoloop in build/default/bin.")
endif()
execute_process(COMMAND ${tool} limits --markdown OUTPUT_VARIABLE page RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    iso_fail("isoloop limits --markdown failed (${result}).")
endif()
string(REPLACE "\r" "" page "${page}")
file(CONFIGURE OUTPUT "${ISO_ROOT}/docs/platforms.md" CONTENT "${page}" @ONLY NEWLINE_STYLE UNIX)
iso_say("docs/platforms.md is what the table says.")
