# SPDX-License-Identifier: MIT
# Windows tests under Wine: a prefix of the build's own, and one wineserver kept alive over the run
# (started per program, a hundred tests take minutes instead of seconds).

get_filename_component(wine_dir "${CMAKE_CROSSCOMPILING_EMULATOR}" DIRECTORY)
find_program(ISO_WINESERVER NAMES wineserver wineserver64 wineserver32
    HINTS ${wine_dir} /usr/lib/wine /usr/lib64/wine /opt/wine-stable/bin
)
if(NOT ISO_WINESERVER)
    message(FATAL_ERROR "There is ${CMAKE_CROSSCOMPILING_EMULATOR}, but no wineserver beside it.")
endif()

set(ISO_TEST_FIXTURES wine)
set(ISO_TEST_EMULATOR sh ${CMAKE_CURRENT_LIST_DIR}/wine-run.sh ${CMAKE_CROSSCOMPILING_EMULATOR})
# An empty DISPLAY: no window is ever opened. Without its debugger Wine ends a program that crashes
# with the code of the crash; with it that can be lost, and be 0.
set(ISO_TEST_ENVIRONMENT
    WINEPREFIX=${PROJECT_BINARY_DIR}/wineprefix
    WINEDEBUG=-all
    "WINEDLLOVERRIDES=mscoree,mshtml,winedbg.exe="
    DISPLAY=
)

foreach(step IN ITEMS start stop)
    add_test(NAME wine.${step}
        COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/wine.sh ${step}
            ${CMAKE_CROSSCOMPILING_EMULATOR} ${ISO_WINESERVER}
    )
    set_tests_properties(wine.${step} PROPERTIES
        LABELS wine
        TIMEOUT 180
        ENVIRONMENT "${ISO_TEST_ENVIRONMENT}"
    )
endforeach()
set_tests_properties(wine.start PROPERTIES FIXTURES_SETUP wine)
set_tests_properties(wine.stop PROPERTIES FIXTURES_CLEANUP wine)
