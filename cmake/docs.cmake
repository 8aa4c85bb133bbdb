# SPDX-License-Identifier: MIT
# The target `docs`: the reference of the interface, by Doxygen, in <build>/docs/html. What is public
# and undocumented is an error.
find_program(GOSSIP_DOXYGEN doxygen)
mark_as_advanced(GOSSIP_DOXYGEN)
if(GOSSIP_DOXYGEN)
  configure_file(cmake/Doxyfile.in "${PROJECT_BINARY_DIR}/Doxyfile" @ONLY)
  add_custom_target(docs
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/docs"
    COMMAND "${GOSSIP_DOXYGEN}" "${PROJECT_BINARY_DIR}/Doxyfile"
    COMMAND "${CMAKE_COMMAND}" -E echo "docs: ${PROJECT_BINARY_DIR}/docs/html/index.html"
    VERBATIM)
else()
  add_custom_target(docs
    COMMAND "${CMAKE_COMMAND}" -E echo "docs: doxygen is not installed"
    COMMAND "${CMAKE_COMMAND}" -E false)
endif()
