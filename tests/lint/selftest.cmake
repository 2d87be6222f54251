# SPDX-License-Identifier: MIT
# cmake -D WORK=<folder> -P selftest.cmake
# Hands small trees to the lint scripts, each with one thing wrong, and expects it to be found.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/read.cmake)

set(licence "/* SPDX-License-Identifier: MIT */\n")

# Run a script; `expected` is in its output and it fails, or, when `expected` is empty, it passes.
function(expect_of script expected what)
    execute_process(
        COMMAND ${CMAKE_COMMAND} -D ROOT=${WORK}/tree ${ARGN}
            -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${script}.cmake
        RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error
    )
    string(FIND "${output}${error}" "${expected}" at)
    if(expected STREQUAL "" AND NOT result EQUAL 0)
        finding("${script} refuses ${what}:\n${output}${error}")
    elseif(NOT expected STREQUAL "" AND result EQUAL 0)
        finding("${script} lets pass ${what}")
    elseif(at LESS 0)
        finding("${script} does not say '${expected}' of ${what}:\n${output}${error}")
    endif()
endfunction()

function(clean_tree)
    file(REMOVE_RECURSE "${WORK}/tree")
    file(WRITE "${WORK}/tree/src/common/base/list.h" "${licence}#include <stddef.h>\n")
    file(WRITE "${WORK}/tree/src/common/loop/loop.c"
        "${licence}#include \"loop/loop.h\"\n#include \"engine/turn.h\"\n#include \"isoloop/loop.h\"\n"
        "/* errno, _WIN32 and GetLastError() in a comment\n harm nobody */\nint errnos_count;\n"
    )
    file(WRITE "${WORK}/tree/src/posix/own.h" "${licence}")
    file(WRITE "${WORK}/tree/src/posix/epoll.c"
        "${licence}#include \"own.h\"\n#include \"engine/poller.h\"\n#include <errno.h>\n"
        "int last(void)\n{\n    return errno;\n}\n"
    )
    file(WRITE "${WORK}/tree/tools/isoloop/main.c" "${licence}#include <isoloop.h>\n")
    file(WRITE "${WORK}/tree/examples/support/own.h" "${licence}")
    file(WRITE "${WORK}/tree/examples/own.c" "${licence}#include \"support/own.h\"\n")
    file(WRITE "${WORK}/tree/tests/base/test_list.c" "${licence}")
    file(WRITE "${WORK}/tree/tests/CMakeLists.txt" "\niso_test(base/list)\n")
    file(WRITE "${WORK}/tree/cmake/sources.cmake"
        "    src/common/loop/loop.c\n    src/posix/epoll.c\n")
endfunction()

# The clean tree and this file in it.
function(expect_of_file script expected file text)
    clean_tree()
    file(WRITE "${WORK}/tree/${file}" "${licence}${text}")
    expect_of(${script} "${expected}" "${file}: ${text}")
endfunction()

clean_tree()
expect_of(floors "" "a clean tree")
expect_of(sources "" "a clean tree")

# floors
set(f src/common/loop/x.c)
expect_of_file(floors "${f}:2" ${f} "#include \"io/stream.h\"\n")
expect_of_file(floors "${f}:4" ${f} "/*\n*/\n#include \"io/stream.h\"\n")
expect_of_file(floors "is not below io" src/common/io/x.c "#include \"ioloop/ioloop.h\"\n")
expect_of_file(floors "is not below ioloop" src/common/ioloop/x.c "#include \"kernel/kernel.h\"\n")
expect_of_file(floors "is not below base" src/common/base/x.h "#  include \"sys/clock.h\"\n")
expect_of_file(floors "without a floor" ${f} "#include \"attic/old.h\"\n")
expect_of_file(floors "without a floor" src/common/attic/x.c "#include \"base/list.h\"\n")
expect_of_file(floors "not named by its room" ${f} "#include \"loop.h\"\n")
expect_of_file(floors "walks through folders" ${f} "#include \"../io/stream.h\"\n")
expect_of_file(floors "is not plain C11" ${f} "#include <unistd.h>\n")
expect_of_file(floors "is not plain C11" ${f} "#include <stdatomic.h>\n")
expect_of_file(floors "" src/common/base/atomic.h "#include <stdatomic.h>\n")
expect_of_file(floors "above base, sys" src/posix/x.c "#include \"engine/turn.h\"\n")
expect_of_file(floors "above base, sys" src/win32/x.c "#include \"loop/loop.h\"\n")
expect_of_file(floors "" src/win32/x.c "#include \"sys/clock.h\"\n#include <winsock2.h>\n")
expect_of_file(floors "not named by its room" src/win32/x.c "#include \"absent.h\"\n")
expect_of_file(floors "is not the public API" tools/isoloop/x.c "#include \"base/list.h\"\n")
expect_of_file(floors "is not the public API" examples/x.c "#include \"loop/loop.h\"\n")
foreach(word IN ITEMS _WIN32 __linux__ __APPLE__)
    foreach(folder IN ITEMS src/common/loop tools/isoloop examples)
        expect_of_file(floors "${word}: a platform" ${folder}/x.c "#ifdef ${word}\n#endif\n")
    endforeach()
    expect_of_file(floors "" src/common/sys/sys.h "#ifdef ${word}\n#endif\n")
endforeach()
expect_of_file(floors "x.c:4: errno" ${f} "int a[1] = { 0 };\n\nint x(void) { return errno; }\n")
expect_of_file(floors "belongs to src/posix" src/win32/x.c "int e = errno;\n")
expect_of_file(floors "belongs to src/win32" src/posix/x.c "int e = WSAGetLastError();\n")
expect_of_file(floors "ends no program" src/posix/x.c "void x(void) { abort(); }\n")
expect_of_file(floors "ends no program" src/posix/x.c "void x(void) { _exit(1); }\n")
expect_of_file(floors "" src/posix/spawn_run.c "void x(void) { _exit(1); }\n")
file(REMOVE_RECURSE "${WORK}/tree")
file(MAKE_DIRECTORY "${WORK}/tree")
expect_of(floors "is this the root?" "an empty tree")

# sources
expect_of_file(sources "not in cmake/sources.cmake" src/common/loop/forgotten.c "")
expect_of_file(sources "has no line iso_test(base/forgotten)" tests/base/test_forgotten.c "")
clean_tree()
file(WRITE "${WORK}/tree/examples/x.c" "int no_licence;\n")
expect_of(sources "does not begin with" "a file without a licence")

# exports
function(expect_of_symbols expected type header symbols)
    file(REMOVE_RECURSE "${WORK}/tree")
    file(WRITE "${WORK}/tree/include/x.h" "${header}")
    file(WRITE "${WORK}/tree/symbols" "${symbols}")
    expect_of(exports "${expected}" "${symbols}" -D INCLUDE=${WORK}/tree/include
        -D SYMBOLS=${WORK}/tree/symbols -D TYPE=${type} -D SYSTEM=Linux)
endfunction()

set(header "/* x */\nISO_API int iso_one(void);\nISO_API const char *iso_two(int a,\n  int b);\n")
set(both "iso_one T 0 1\niso_two T 1 1\n")
expect_of_symbols("" SHARED_LIBRARY "${header}" "${both}_init T 0\nread U\n")
expect_of_symbols("" STATIC_LIBRARY "${header}" "${both}iso__inner T 2 1\n")
expect_of_symbols("iso_two is declared and not defined" SHARED_LIBRARY "${header}" "iso_one T 0 1\n")
expect_of_symbols("iso_two is declared and not defined" STATIC_LIBRARY "${header}"
    "iso_one T 0 1\niso_two U\n")
expect_of_symbols("iso__inner is exported" SHARED_LIBRARY "${header}" "${both}iso__inner T 2 1\n")
expect_of_symbols("iso_three is exported" SHARED_LIBRARY "${header}" "${both}iso_three T 2 1\n")
expect_of_symbols("helper is a global name" STATIC_LIBRARY "${header}" "${both}helper T 2 1\n")
expect_of_symbols("are declarations" SHARED_LIBRARY "${header}ISO_API extern int Iso;\n" "${both}")
expect_of_symbols("declares anything" SHARED_LIBRARY "" "${both}")

# presets
file(REMOVE_RECURSE "${WORK}/tree")
file(WRITE "${WORK}/tree/CMakePresets.json" "{ \"version\": 3, \"configurePresets\": [ {} ] }")
expect_of(presets "does not take CMakePresets.json" "a preset without a name")
file(WRITE "${WORK}/tree/CMakePresets.json" "{ \"version\": 3,
    \"configurePresets\": [ { \"name\": \"a\", \"generator\": \"Ninja\", \"binaryDir\": \"b\" },
                            { \"name\": \"b\", \"inherits\": \"a\" } ],
    \"buildPresets\": [ { \"name\": \"a\", \"configurePreset\": \"a\" } ],
    \"testPresets\": [ { \"name\": \"a\", \"configurePreset\": \"a\" } ] }")
expect_of(presets "differ" "a preset that cannot be built")

file(REMOVE_RECURSE "${WORK}/tree")
conclude("the lint scripts")
