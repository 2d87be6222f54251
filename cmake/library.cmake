# SPDX-License-Identifier: MIT

# The library, as a target of this name. Without a type BUILD_SHARED_LIBS decides, as usual.
function(iso_add_library target)
    add_library(${target} ${ARGN} ${ISO_SOURCES_COMMON} ${ISO_SOURCES_SYSTEM})
    target_include_directories(${target}
        PUBLIC
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE ${PROJECT_SOURCE_DIR}/src/common
    )
    target_link_libraries(${target} PRIVATE ${ISO_SYSTEM_LIBRARIES})
    foreach(poller IN ITEMS epoll kqueue)
        if(poller IN_LIST ISO_POLLERS)
            string(TOUPPER ${poller} name)
            target_compile_definitions(${target} PRIVATE ISO__HAVE_${name})
        endif()
    endforeach()
    if("proactor:io_uring" IN_LIST ISO_BACKENDS)
        target_compile_definitions(${target} PRIVATE ISO__HAVE_IO_URING)
    endif()
    if(ISOLOOP_KQUEUE_STANDIN)
        target_sources(${target} PRIVATE ${ISO_SOURCES_KQUEUE_STANDIN})
    endif()

    get_target_property(type ${target} TYPE)
    if(type STREQUAL "SHARED_LIBRARY")
        target_compile_definitions(${target} PUBLIC ISOLOOP_SHARED PRIVATE ISOLOOP_BUILDING)
    endif()
    # Until 1.0 each minor version may break the binary interface.
    set_target_properties(${target} PROPERTIES
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    )
endfunction()

# The system's whole C library for the floor that talks to it, and strict C11 above.
set_source_files_properties(${ISO_SOURCES_SYSTEM} PROPERTIES
    COMPILE_DEFINITIONS "${ISO_SYSTEM_DEFINITIONS}"
)
if(ISOLOOP_KQUEUE_STANDIN)
    set_source_files_properties(${ISO_SOURCES_KQUEUE} ${ISO_SOURCES_KQUEUE_STANDIN} PROPERTIES
        COMPILE_DEFINITIONS "${ISO_SYSTEM_DEFINITIONS}"
        INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/tests/support/include"
    )
endif()
