# SPDX-License-Identifier: MIT
#
# dszero::compiled: dszero::config, with what is large compiled once for a whole project. Compiled by the
# project that links it, so that dszero's package has no architecture.
if(CMAKE_CXX_COMPILER_LOADED AND NOT TARGET dszero::compiled)
    add_library(dszero_compiled STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/dszero.cpp)
    add_library(dszero::compiled ALIAS dszero_compiled)
    target_compile_definitions(dszero_compiled PUBLIC DSZERO_COMPILED)
    target_link_libraries(dszero_compiled PUBLIC dszero::config)
    set_target_properties(dszero_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
endif()
