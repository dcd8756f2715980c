# SPDX-License-Identifier: MIT
#
# A test that DeepSpeed accepts a configuration, for CTest:
#
#     find_package(dszero REQUIRED)
#     enable_testing()
#     dszero_add_config_test(FILE ds_config.json [DEEPSPEED 0.16.9] [WORLD_SIZE 8] [NAME my_test])
#
# FILE is relative to the current source directory. The test is called ds_config.FILE
# unless it has a NAME. Its output is what `dszero check` prints.
function(dszero_add_config_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "FILE;DEEPSPEED;WORLD_SIZE;NAME" "")
    if(NOT arg_FILE OR arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "dszero_add_config_test(FILE ds_config.json [DEEPSPEED release] [WORLD_SIZE ranks] [NAME name])")
    endif()
    if(NOT TARGET dszero::tool)
        message(FATAL_ERROR "dszero_add_config_test needs the dszero tool: build dszero with -DDSZERO_BUILD_EXAMPLES=ON")
    endif()
    set(options)
    if(arg_DEEPSPEED)
        list(APPEND options --deepspeed ${arg_DEEPSPEED})
    endif()
    if(arg_WORLD_SIZE)
        list(APPEND options --world-size ${arg_WORLD_SIZE})
    endif()
    if(NOT arg_NAME)
        set(arg_NAME ds_config.${arg_FILE})
    endif()
    cmake_path(ABSOLUTE_PATH arg_FILE BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    add_test(NAME ${arg_NAME} COMMAND dszero::tool check ${options} -- ${arg_FILE})
endfunction()
