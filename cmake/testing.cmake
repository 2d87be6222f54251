# SPDX-License-Identifier: MIT
# How a CTest is made here, so that each has its labels, its time, and its Wine.
#
#   iso_ctest(<name> COMMAND target-or-program args... [LABELS l...] [TIMEOUT s] [ENVIRONMENT v=x...])
#   iso_test(<room>/<noun> [MATRIX loop|poller] [SOURCES extra...] [TIMEOUT s])
#
# iso_test builds tests/<room>/test_<noun>.c with the kit. Without MATRIX it is one test,
# <room>.<noun>; with it one for each backend of this platform: io.stream@selector-epoll with
# ISOLOOP_LOOP=selector:epoll, or engine.poller@epoll with ISOLOOP_TEST_POLLER=epoll.

# Tests reach inside: they link the library's objects without an export table in between. A static
# library is that already; of a shared one a static twin is made.
if(BUILD_SHARED_LIBS)
    iso_add_library(isoloop_internal STATIC)
else()
    add_library(isoloop_internal INTERFACE)
    target_link_libraries(isoloop_internal INTERFACE isoloop)
endif()

set(ISOLOOP_TEST_SLOWDOWN 1 CACHE STRING "Multiplies the time that each test is given")

# A cross-build that has no emulator compiles the tests and runs none.
set(ISO_TESTS_RUN ON)
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    set(ISO_TESTS_RUN OFF)
    message(STATUS "No CMAKE_CROSSCOMPILING_EMULATOR: tests are built and not run")
endif()

set(ISO_TEST_FIXTURES)
set(ISO_TEST_ENVIRONMENT)
set(ISO_TEST_EMULATOR) # what runs a test program, if not CMAKE_CROSSCOMPILING_EMULATOR alone
if(CMAKE_CROSSCOMPILING_EMULATOR MATCHES "wine")
    include(${CMAKE_CURRENT_LIST_DIR}/wine.cmake)
endif()

# Programs of the tests do not lie beside the library's DLL.
if(WIN32 AND BUILD_SHARED_LIBS)
    if(CMAKE_CROSSCOMPILING)
        list(APPEND ISO_TEST_ENVIRONMENT "WINEPATH=$<TARGET_FILE_DIR:isoloop>")
    else()
        string(REPLACE ";" "\\;" path "$ENV{PATH}")
        list(APPEND ISO_TEST_ENVIRONMENT "PATH=$<TARGET_FILE_DIR:isoloop>\\;${path}")
    endif()
endif()

function(iso_ctest name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT")
    if(NOT ISO_TESTS_RUN)
        return()
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${ISOLOOP_TEST_SLOWDOWN}")
    # The kit's own watchdog comes first: it can say where the program hangs.
    math(EXPR patience "${arg_TIMEOUT} * 9 / 10")
    set(environment ISOLOOP_TEST_TIMEOUT=${patience} ${arg_ENVIRONMENT} ${ISO_TEST_ENVIRONMENT})

    list(GET arg_COMMAND 0 program)
    if(ISO_TEST_EMULATOR AND TARGET ${program})
        set_target_properties(${program} PROPERTIES CROSSCOMPILING_EMULATOR "${ISO_TEST_EMULATOR}")
    endif()
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    # 77: a row of the limits table says that this platform does not do that.
    set_tests_properties(${name} PROPERTIES
        LABELS "${arg_LABELS}"
        TIMEOUT ${arg_TIMEOUT}
        SKIP_RETURN_CODE 77
        ENVIRONMENT "${environment}"
        FIXTURES_REQUIRED "${ISO_TEST_FIXTURES}"
    )
endfunction()

function(iso_test path)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "MATRIX;TIMEOUT" "SOURCES")
    get_filename_component(room ${path} DIRECTORY)
    get_filename_component(noun ${path} NAME)
    set(target test_${room}_${noun})
    add_executable(${target} ${room}/test_${noun}.c ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE isoloop_kit)
    set_target_properties(${target} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bin
    )

    set(common COMMAND ${target})
    if(arg_TIMEOUT)
        list(APPEND common TIMEOUT ${arg_TIMEOUT})
    endif()
    if(NOT arg_MATRIX)
        iso_ctest(${room}.${noun} LABELS ${room} ${common})
    elseif(arg_MATRIX STREQUAL "loop")
        foreach(backend IN LISTS ISO_BACKENDS)
            string(REPLACE ":" "-" on ${backend})
            iso_ctest(${room}.${noun}@${on} LABELS ${room} ${on}
                ENVIRONMENT ISOLOOP_LOOP=${backend} ${common}
            )
        endforeach()
    elseif(arg_MATRIX STREQUAL "poller")
        foreach(poller IN LISTS ISO_POLLERS)
            iso_ctest(${room}.${noun}@${poller} LABELS ${room} selector-${poller}
                ENVIRONMENT ISOLOOP_TEST_POLLER=${poller} ${common}
            )
        endforeach()
    else()
        message(FATAL_ERROR "iso_test(${path}): MATRIX is loop or poller, not ${arg_MATRIX}.")
    endif()
endfunction()
