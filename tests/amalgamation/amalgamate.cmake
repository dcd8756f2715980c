# SPDX-License-Identifier: MIT
#
# Makes one file of HEADER and everything of dszero's that it includes:
#
#     cmake -D INCLUDE=include -D HEADER=dszero/dszero.hpp -D OUTPUT=dszero_config.hpp -P amalgamate.cmake
#
# Each <dszero/...> is put where it is first included; other includes go to the top, once.
# Rests on the house style: includes are in angle brackets, and depend on no condition but that
# DSZERO_COMPILED is not defined.

cmake_minimum_required(VERSION 3.25)

set(seen "")
set(includes "")
set(body "")

# Texts are searched by hand, never split into a list: C++ is full of semicolons and brackets.
macro(include_from_line name)
    if("${name}" MATCHES "^dszero/")
        append(${name})
    else()
        list(APPEND includes ${name})
    endif()
endmacro()

function(append header)
    if(header IN_LIST seen)
        return()
    endif()
    list(APPEND seen ${header})

    file(READ ${INCLUDE}/${header} text)
    string(REPLACE "// SPDX-License-Identifier: MIT\n//\n" "" text "${text}")
    string(REPLACE "// SPDX-License-Identifier: MIT\n" "" text "${text}")
    string(REPLACE "#pragma once\n" "" text "${text}")

    # The includes at its top come before its opening comment ...
    set(comment "")
    if(text MATCHES "^(//[^\n]*\n)+")
        set(comment "${CMAKE_MATCH_0}")
        string(LENGTH "${comment}" length)
        string(SUBSTRING "${text}" ${length} -1 text)
    endif()
    while(text MATCHES "^[ \n]*#include <([^>\n]*)>[^\n]*\n")
        string(LENGTH "${CMAKE_MATCH_0}" length)
        string(SUBSTRING "${text}" ${length} -1 text)
        include_from_line(${CMAKE_MATCH_1})
    endwhile()
    string(APPEND body "\n// ======== ${header}\n\n${comment}")

    # ... and any further down where they stand.
    while(text MATCHES "\n#include <([^>\n]*)>[^\n]*\n")
        string(FIND "${text}" "${CMAKE_MATCH_0}" place)
        string(LENGTH "${CMAKE_MATCH_0}" length)
        math(EXPR length "${place} + ${length}")
        string(SUBSTRING "${text}" 0 ${place} before)
        string(SUBSTRING "${text}" ${length} -1 text)
        string(APPEND body "${before}\n")
        include_from_line(${CMAKE_MATCH_1})
    endwhile()
    if(text MATCHES "\n([ \t]*#[ \t]*include[^\n]*)")
        message(FATAL_ERROR "${header}: cannot amalgamate: ${CMAKE_MATCH_1}")
    endif()
    string(APPEND body "${text}")

    set(seen "${seen}" PARENT_SCOPE)
    set(includes "${includes}" PARENT_SCOPE)
    set(body "${body}" PARENT_SCOPE)
endfunction()

append(${HEADER})

list(REMOVE_DUPLICATES includes)
list(SORT includes)
set(standard ${includes}) # <vector>; the others have a folder or an ending
list(FILTER standard EXCLUDE REGEX "/|\\.")
list(FILTER includes INCLUDE REGEX "/|\\.")
list(TRANSFORM standard REPLACE "(.+)" "#include <\\1>\n")
list(TRANSFORM includes REPLACE "(.+)" "#include <\\1>\n")
list(JOIN standard "" standard)
list(JOIN includes "" includes)

file(STRINGS ${INCLUDE}/dszero/version.hpp version REGEX "^#define DSZERO_VERSION_")
list(TRANSFORM version REPLACE "[^0-9]" "")
list(JOIN version "." version)
file(
    WRITE ${OUTPUT}
    "// SPDX-License-Identifier: MIT
//
// dszero ${version}: the config part in one file. Generated; edit the headers it was made of.
// Needs C++20 and nlohmann/json 3.11.
#pragma once

#ifdef DSZERO_COMPILED
#error DSZERO_COMPILED is for the headers themselves, not for this one file
#endif

${standard}
${includes}${body}")
