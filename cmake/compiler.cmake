# SPDX-License-Identifier: MIT
# What every file of this repository is compiled with, and nothing of a project that includes it.

if(MSVC)
    add_compile_options(/utf-8)
    # strcpy and friends are C11; their "secure" namesakes are not portable.
    add_compile_definitions(_CRT_SECURE_NO_WARNINGS)
    if(ISOLOOP_WARNINGS)
        add_compile_options(/W4)
    endif()
    if(ISOLOOP_WERROR)
        add_compile_options(/WX)
    endif()
else()
    if(ISOLOOP_WARNINGS)
        add_compile_options(-Wall -Wextra -Wpedantic -Wconversion)
        if(CMAKE_C_COMPILER_ID MATCHES "Clang")
            # CHECK(!"a sentence") means it.
            add_compile_options(-Wno-string-conversion)
        endif()
    endif()
    if(ISOLOOP_WERROR)
        add_compile_options(-Werror)
    endif()
    if(MINGW)
        # The old C runtime's printf knows neither %zu nor %lld.
        add_compile_definitions(__USE_MINGW_ANSI_STDIO=1)
    endif()
endif()
