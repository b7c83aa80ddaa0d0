/* SPDX-License-Identifier: Apache-2.0 */
#include "base/program.h"

#include "base/log.h"

#include <stdio.h>

enum {
    HELP_SIZE_MAX = 1 << 16
};

int program_main(const struct program *program, char **argv)
{
    struct error error = { 0 };
    struct option_arguments arguments;
    log_init(program->table->program, LOG_LEVEL_INFO);
    if (!options_parse(program->table, argv + 1, program->options, NULL, &arguments, &error)) {
        log_error("does not start", &error);
        return error_exit_code(error.code);
    }
    if (arguments.wants_help) {
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, HELP_SIZE_MAX);
        options_help(&text, program->table);
        fwrite(text.data, 1, text.size, stdout);
        return 0;
    }
    if (program->run(program->options, &error))
        return 0;
    log_error("ends", &error);
    return error_exit_code(error.code);
}
