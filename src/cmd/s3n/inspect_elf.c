/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/inspect_elf.h"

#include "elf/elf.h"

#include <inttypes.h>
#include <stdio.h>

static json_t *address_of(uint64_t address)
{
    char text[24];
    snprintf(text, sizeof(text), "0x%" PRIx64, address);
    return json_string(text);
}

static json_t *tree_of(const struct elf *elf, size_t size, const char *reason)
{
    json_t *segments = json_array();
    for (uint32_t i = 0; reason == NULL && i < elf->segment_count; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        json_array_append_new(segments, json_pack("{s:o, s:s, s:I, s:I}", "address",
                                                  address_of(segment->address), "rights",
                                                  elf_right_name(segment->right), "size",
                                                  (json_int_t)segment->size, "file_size",
                                                  (json_int_t)segment->content.size));
    }
    json_t *tree = json_pack("{s:s, s:I, s:b, s:o, s:s, s:s}", "kind", "native", "size",
                             (json_int_t)size, "can_run", reason == NULL, "segments", segments,
                             "abi", "reactor", "needs", "/dev/kvm");
    if (tree != NULL && reason == NULL)
        json_object_set_new(tree, "entry", address_of(elf->entry));
    if (tree != NULL && reason != NULL)
        json_object_set_new(tree, "reasons", json_pack("[s]", reason));
    return tree;
}

static bool show(const struct elf *elf, size_t size, const char *reason, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 64 << 10);
    buffer_format(&text, "native function (ELF, x86-64), %zu bytes\n", size);
    if (reason == NULL) {
        buffer_format(&text, "entry       0x%" PRIx64 "\n", elf->entry);
        for (uint32_t i = 0; i < elf->segment_count; i++) {
            const struct elf_segment *segment = &elf->segments[i];
            buffer_format(&text,
                          "segment     0x%" PRIx64 "  %-13s %10" PRIu64 " bytes, %zu in the file\n",
                          segment->address, elf_right_name(segment->right), segment->size,
                          segment->content.size);
        }
        buffer_append_string(&text, "abi         reactor\n"
                                    "needs       a micro-VM (/dev/kvm); reset after every request\n"
                                    "can run     yes\n");
    } else {
        buffer_format(&text, "can run     no: %s\n", reason);
    }
    return cli_write_lines(buffer_view(&text), error);
}

bool inspect_elf(struct cli *cli, struct bytes source, struct error *error)
{
    struct elf elf = { 0 };
    struct error refusal;
    bool can_run = elf_parse(&elf, source, &refusal);
    const char *reason = can_run ? NULL : refusal.text;
    cli->exit_code = can_run ? 0 : error_exit_code(ERROR_INVALID);
    if (!cli->json)
        return show(&elf, source.size, reason, error);
    AUTO_JSON json_t *json = tree_of(&elf, source.size, reason);
    if (json == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    return cli_write_json(json, error);
}
