# SPDX-License-Identifier: MIT
# Help is printed at each level; a wrong command line gets one sentence and the exit code 2.
cmake_minimum_required(VERSION 3.21)
include(${CMAKE_CURRENT_LIST_DIR}/script.cmake)

function(expect_help)
    run_tool(${ARGN})
    expect_code(0)
    expect_match(out "^usage: isoloop")
    expect_match(err "^$")
endfunction()

# The sentence says `what`, is one line, and tells where help is.
function(expect_wrong what)
    run_tool(${ARGN})
    expect_code(2)
    expect_match(out "^$")
    expect_match(err "^isoloop[^\n]*${what}[^\n]*--help\\.\r?\n$")
endfunction()

expect_help(--help)
expect_help(-h)
expect_help(demo --help)
expect_help(backends --help)
expect_help(limits --help)
run_tool(limits --help)
foreach(profile IN ITEMS documented native portable windows-selector windows-proactor macos
    macos-10.8 macos-10.5 linux)
    expect_match(out "\n  ${profile} ")
endforeach()
expect_help(echo --port 0 --help)
expect_help(probe --help)
expect_help(probe --row all.bad_fd -h)

run_tool(--version)
expect_code(0)
expect_match(out "^isoloop [0-9]+\\.[0-9]+\\.[0-9]+\r?\n$")

expect_wrong("a command is missing")
expect_wrong("'dance' is not one of its commands" dance)
expect_wrong("'--fast' is not one of its options" demo --fast)
expect_wrong("'fast' is not one of its options" demo fast)
expect_wrong("'--conn' is not one of its options" demo --conn 3)
expect_wrong("--json takes no value" demo --json=yes)
expect_wrong("--connections needs a value, N" demo --connections)
foreach(number IN ITEMS 0 -1 60001 1.5 10x x 99999999999999999999)
    expect_wrong("--connections takes a whole number from 1 to 60000, not '${number}'"
        demo --connections ${number}
    )
endforeach()
expect_wrong("--connections takes a whole number from 1 to 60000, not ''" demo --connections=)
expect_wrong("--messages takes a whole number" demo --messages 0)
expect_wrong("--size takes a whole number from 1 to 1048576" demo --size 1048577)
expect_wrong("--timeout takes a whole number" demo --timeout never)
expect_wrong("'selector:abacus' is not the name of a backend" demo --backend selector:abacus)
expect_wrong("--limits: everything is not a limits profile" demo --limits everything)
expect_wrong("'x' is not one of its options" backends x)
expect_wrong("--profile: amiga is not a limits profile; there are: documented, native, portable"
    limits --profile amiga
)
expect_wrong("--diff: amiga is not a limits profile" limits --diff native amiga)
expect_wrong("--diff needs two values, P Q" limits --diff native)
expect_wrong("--diff needs two values, P Q" limits --diff)
expect_wrong("'native' is not one of its options" limits --diff linux macos native)
expect_wrong("--profile and --diff contradict each other"
    limits --diff native portable --profile native
)
expect_wrong("--markdown goes with no other option" limits --markdown --json)
expect_wrong("'abacus' is not the name of a backend" limits --backend abacus)
expect_wrong("'selector' is not the exact name of a backend"
    limits --backend selector --diff native linux
)
expect_wrong("--port takes a whole number from 0 to 65535, not '65536'" echo --port 65536)
expect_wrong("--port takes a whole number from 0 to 65535, not '-1'" echo --port=-1)
expect_wrong("--max-connections takes a whole number from 1" echo --max-connections 0)
expect_wrong("contradict each other" echo --once --max-connections 2)
expect_wrong("'abacus' is not the name of a backend" echo --backend abacus)
expect_wrong("'--fast' is not one of its options" probe --fast)
expect_wrong("'all.bad_fd' is not one of its options" probe all.bad_fd)
expect_wrong("--row needs a value, ID" probe --row)
expect_wrong("'all.good_fd' is not a row of the limits table; isoloop probe --list"
    probe --row all.good_fd
)
expect_wrong("'selector:abacus' is not the name of a backend" probe --backend selector:abacus)
expect_wrong("--profile: everything is not a limits profile" probe --profile everything)
expect_wrong("--list takes no value" probe --list=yes)

set(many)
foreach(i RANGE 1 17)
    list(APPEND many --backend selector)
endforeach()
expect_wrong("--backend can be given 16 times at most" demo ${many})
