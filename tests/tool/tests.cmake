# SPDX-License-Identifier: MIT
# The tests of the command line tool; tools/isoloop/CMakeLists.txt includes this.

set(tool_dir ${CMAKE_CURRENT_SOURCE_DIR})
set(tool_tests_dir ${CMAKE_CURRENT_LIST_DIR})

# A script of this folder, with the tool in TOOL and what it runs by in EMULATOR.
function(tool_script name script)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "TIMEOUT" "DEFINE;LABELS")
    list(TRANSFORM arg_DEFINE PREPEND -D)
    if(arg_TIMEOUT)
        list(PREPEND arg_TIMEOUT TIMEOUT)
    endif()
    iso_ctest(tool.${name}
        COMMAND ${CMAKE_COMMAND}
            -DTOOL=$<TARGET_FILE:isoloop_tool>
            "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
            ${arg_DEFINE}
            -P ${tool_tests_dir}/${script}.cmake
        LABELS tool ${arg_LABELS}
        ${arg_TIMEOUT}
    )
endfunction()

string(REPLACE ";" "," backends "${ISO_BACKENDS}")

tool_script(usage usage)
tool_script(backends backends DEFINE BACKENDS=${backends})
tool_script(demo_all demo_all DEFINE BACKENDS=${backends})
tool_script(demo_timeout demo_timeout)
tool_script(platforms platforms
    DEFINE PAGE=${PROJECT_SOURCE_DIR}/docs/platforms.md WORK=${CMAKE_CURRENT_BINARY_DIR}/platforms
)
tool_script(probe_all probe_all TIMEOUT 180 DEFINE BACKENDS=${backends})
foreach(backend IN LISTS ISO_BACKENDS)
    string(REPLACE ":" "-" on ${backend})
    tool_script(demo@${on} demo DEFINE BACKEND=${backend} LABELS ${on})
    tool_script(demo_limit@${on} demo_limit DEFINE BACKEND=${backend} LABELS ${on})
    tool_script(limits@${on} limits DEFINE BACKEND=${backend} LABELS ${on})
    tool_script(probe@${on} probe TIMEOUT 180 DEFINE BACKEND=${backend} LABELS ${on})
    if(ISOLOOP_EXAMPLES)
        tool_script(echo@${on} echo
            DEFINE BACKEND=${backend} CLIENT=$<TARGET_FILE:example_echo_client>
            LABELS ${on}
        )
    endif()
endforeach()

# The same tool around an echo that changes one byte: it must be seen.
list(TRANSFORM sources PREPEND ${tool_dir}/ OUTPUT_VARIABLE liar_sources)
add_executable(isoloop_liar ${liar_sources} ${tool_tests_dir}/liar.c)
target_include_directories(isoloop_liar PRIVATE ${tool_dir})
tool_use_system(isoloop_liar)
tool_script(demo_wrong_byte demo_wrong_byte DEFINE LIAR=$<TARGET_FILE:isoloop_liar>)

# Rooms of the tool that can be wrong without a command showing it.
foreach(room IN ITEMS latency pattern text)
    set(target test_tool_${room})
    add_executable(${target} ${tool_tests_dir}/test_${room}.c ${tool_dir}/${room}.c)
    target_include_directories(${target} PRIVATE ${tool_dir})
    target_link_libraries(${target} PRIVATE isoloop::isoloop)
    iso_ctest(tool.${room} COMMAND ${target} LABELS tool)
endforeach()

# What judges a probe, and the probe itself around rows that are wrong: it must fail.
set(probe_sources ${liar_sources})
list(FILTER probe_sources INCLUDE REGEX "/(probe_[a-z0-9]+|text)\\.c$")
list(FILTER probe_sources EXCLUDE REGEX "/probe_report\\.c$")
add_executable(test_tool_probe ${tool_tests_dir}/test_probe.c ${probe_sources})
target_include_directories(test_tool_probe PRIVATE ${tool_dir})
tool_use_system(test_tool_probe)
iso_ctest(tool.probe COMMAND test_tool_probe LABELS tool)

set(programs isoloop_liar test_tool_latency test_tool_pattern test_tool_probe test_tool_text)
set_target_properties(${programs} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bin
)
