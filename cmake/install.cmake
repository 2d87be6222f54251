# SPDX-License-Identifier: MIT
# cmake --install: headers, library, find_package(isoloop) and isoloop.pc; the tool adds itself.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/isoloop)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

get_target_property(type isoloop TYPE)

install(TARGETS isoloop EXPORT isoloop-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
)
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

if(TARGET isoloop_tool)
    # Where a shared library lies as seen from the tool, so that the installed tree can be moved.
    if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
        set(rpath ${CMAKE_INSTALL_LIBDIR})
    else()
        file(RELATIVE_PATH rpath /prefix/${CMAKE_INSTALL_BINDIR} /prefix/${CMAKE_INSTALL_LIBDIR})
        string(PREPEND rpath $<IF:$<PLATFORM_ID:Darwin>,@loader_path,$ORIGIN>/)
    endif()
    set_target_properties(isoloop_tool PROPERTIES INSTALL_RPATH ${rpath})
endif()

install(EXPORT isoloop-targets NAMESPACE isoloop:: DESTINATION ${package_dir})
configure_package_config_file(cmake/isoloop-config.cmake.in
    ${PROJECT_BINARY_DIR}/isoloop-config.cmake
    INSTALL_DESTINATION ${package_dir}
)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/isoloop-config-version.cmake
    COMPATIBILITY SameMinorVersion
)
install(FILES
    ${PROJECT_BINARY_DIR}/isoloop-config.cmake
    ${PROJECT_BINARY_DIR}/isoloop-config-version.cmake
    DESTINATION ${package_dir}
)

# The prefix is told from where the .pc file lies, so that the installed tree can be moved; an
# absolute library directory pins it.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(ISO_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
    set(ISO_PC_LIBDIR "${CMAKE_INSTALL_LIBDIR}")
else()
    file(RELATIVE_PATH up "/prefix/${pkgconfig_dir}" "/prefix")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(ISO_PC_PREFIX "\${pcfiledir}/${up}")
    set(ISO_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(ISO_PC_INCLUDEDIR "${CMAKE_INSTALL_INCLUDEDIR}")
else()
    set(ISO_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()

if(WIN32)
    list(TRANSFORM ISO_SYSTEM_LIBRARIES PREPEND -l OUTPUT_VARIABLE libraries)
    list(JOIN libraries " " ISO_PC_LIBS_PRIVATE)
else()
    set(ISO_PC_LIBS_PRIVATE -lpthread)
endif()
if(type STREQUAL "SHARED_LIBRARY")
    set(ISO_PC_LIBS "")
    set(ISO_PC_CFLAGS " -DISOLOOP_SHARED")
else()
    # There is no shared one beside it: who links it needs these, with --static or without.
    set(ISO_PC_LIBS " ${ISO_PC_LIBS_PRIVATE}")
    set(ISO_PC_CFLAGS "")
endif()
configure_file(cmake/isoloop.pc.in ${PROJECT_BINARY_DIR}/isoloop.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/isoloop.pc DESTINATION ${pkgconfig_dir})
