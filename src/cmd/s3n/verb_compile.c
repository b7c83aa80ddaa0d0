/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n compile FILE.wasm -o IMAGE`. */
#include "abi/image.h"
#include "abi/settings.h"
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/module_file.h"
#include "core/hex.h"

#include <string.h>

struct compile_options {
    const char *output;
    const char *tier;
    bool fuel;
    bool deterministic;
};

static const struct compile_options compile_defaults = { .tier = "baseline" };

static const struct option_row compile_rows[] = {
    { .name = "output",
      .letter = 'o',
      .kind = OPTION_STRING,
      .offset = offsetof(struct compile_options, output),
      .value = "IMAGE",
      .help = "where the image goes; - is standard output" },
    { .name = "tier",
      .kind = OPTION_STRING,
      .offset = offsetof(struct compile_options, tier),
      .value = "TIER",
      .help = "compiler tier: baseline or optimised" },
    { .name = "fuel",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct compile_options, fuel),
      .help = "make the code count the instructions it executes" },
    { .name = "deterministic",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct compile_options, deterministic),
      .help = "give NaN results one bit pattern" },
};

static const struct option_table compile_table = {
    .program = "s3n compile",
    .usage = "FILE.wasm -o IMAGE",
    .about = "Compiles a module to the image that a micro-VM runs, in a jailed process.\n"
             "The same module always gives the same image.  FILE may be - for standard input.",
    .rows = compile_rows,
    .row_count = ARRAY_COUNT(compile_rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static bool report(struct cli *cli, const struct image *image, const char *output, uint64_t took_ns,
                   struct error *error)
{
    double took_ms = (double)took_ns / 1e6;
    const struct image_header *header = &image->header;
    size_t code_size = image->sections[IMAGE_CODE].size;
    if (!cli->json) {
        cli_message(cli,
                    "compiled in %.1f ms: %zu functions, %zu bytes of code, image of %zu bytes",
                    took_ms, (size_t)header->function_count, code_size, image->source.size);
        return true;
    }
    char digest[2 * sizeof(header->module_digest) + 1];
    hex_encode(digest, BYTES_OF(header->module_digest));
    AUTO_JSON json_t *json =
        json_pack("{s:s,s:s,s:I,s:I,s:I,s:f}", "image", output, "module_digest", digest,
                  "image_size", (json_int_t)image->source.size, "code_size", (json_int_t)code_size,
                  "functions", (json_int_t)header->function_count, "compile_ms", took_ms);
    return cli_write_json(json, error);
}

static bool compile_run(struct cli *cli, const void *given,
                        const struct option_arguments *arguments, struct error *error)
{
    const struct compile_options *options = given;
    if (options->output == NULL)
        return error_set(error, ERROR_USAGE, "say where the image goes: -o IMAGE");
    bool to_stdout = strcmp(options->output, "-") == 0;
    if (to_stdout && cli->json)
        return error_set(error, ERROR_USAGE, "--json and -o - both want standard output");
    AUTO_BUFFER struct buffer module;
    AUTO_BUFFER struct buffer content;
    module_file_init(&module);
    module_file_init(&content);
    uint64_t took_ns;
    uint32_t flags = (options->fuel ? COMPILE_FUEL : 0u) |
                     (options->deterministic ? COMPILE_DETERMINISTIC : 0u) |
                     (strcmp(options->tier, "optimised") == 0 ? COMPILE_OPTIMISED : 0u);
    if (!tier_check(options->tier, error) || !module_file_read(&module, arguments->items[0], error))
        return false;
    cli_step(cli, "compiling %zu bytes", module.size);
    if (!module_compile(&content, buffer_view(&module), flags, &took_ns, error))
        return error_within(error, "%s", error_quote(bytes_of_string(arguments->items[0])).text);
    struct image image;
    const char *reason;
    if (!image_parse(&image, buffer_view(&content), &reason))
        return error_set(error, ERROR_INTERNAL, "the compiler's image is wrong: %s", reason);
    size_t image_size = content.size;
    image_file_seal(&content);
    image.source = bytes_of(content.data, image_size);
    if (content.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the image");
    if (to_stdout ? !cli_write(buffer_view(&content), error)
                  : !file_replace(options->output, buffer_view(&content), 0644, error))
        return false;
    return report(cli, &image, options->output, took_ns, error);
}

const struct verb verb_compile = { .name = "compile",
                                   .summary = "compile a WebAssembly module to an image",
                                   .table = &compile_table,
                                   .defaults = &compile_defaults,
                                   .options_size = sizeof(struct compile_options),
                                   .run = compile_run };
