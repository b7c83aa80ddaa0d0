/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n measure KIND`: what a launch should measure, from the files it is made of. */
#include "attest/amd/id_block.h"
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "core/hex.h"
#include "measure/eif.h"
#include "measure/event_log.h"
#include "measure/sgx.h"
#include "measure/snp.h"
#include "measure/tdx.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Files are mapped: some are as large as a disk image. */
static bool input_map(struct bytes *content, const char *path, struct error *error)
{
    struct stat status;
    *content = (struct bytes){ 0 };
    if (path == NULL)
        return true;
    AUTO_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_system(error, "open %s", path);
    if (fstat(file, &status) != 0)
        return error_system(error, "look at %s", path);
    if (status.st_size == 0)
        return true;
    return file_map(content, file, error) || error_within(error, "%s", path);
}
#define AUTO_MAP __attribute__((cleanup(file_unmap)))

static json_t *hex_json(struct bytes bytes)
{
    char text[2 * 64 + 1];
    ASSERT(bytes.size <= 64);
    hex_encode(text, bytes);
    return json_string(text);
}

static json_t *number_json(uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "0x%" PRIx64, number);
    return json_string(text);
}

/* Each member that is text on a line of its own; with --json the object. */
static bool show(const struct cli *cli, json_t *report, struct error *error)
{
    AUTO_JSON json_t *owned = report;
    AUTO_BUFFER struct buffer text;
    const char *name;
    json_t *value;
    if (report == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    if (cli->json)
        return cli_write_json(owned, error);
    buffer_init(&text, 1 << 20);
    json_object_foreach(owned, name, value)
    {
        if (json_is_string(value))
            buffer_format(&text, "%-16s %s\n", name, json_string_value(value));
        else if (json_is_integer(value))
            buffer_format(&text, "%-16s %" JSON_INTEGER_FORMAT "\n", name,
                          json_integer_value(value));
    }
    return cli_write_lines(buffer_view(&text), error);
}

static bool number_parse(uint64_t *number, const char *text, uint64_t max, const char *option,
                         struct error *error)
{
    char *end;
    uint64_t value = text[0] >= '0' ? strtoull(text, &end, 16) : 0;
    if (text[0] < '0' || *end != '\0' || value > max)
        return error_set(error, ERROR_USAGE, "--%s must be a hexadecimal number up to %" PRIx64,
                         option, max);
    *number = value;
    return true;
}

/* s3n measure tdx */

struct tdx_options {
    const char *firmware;
    const char *variables;
    bool two_pass;
};

static const struct option_row tdx_rows[] = {
    { .name = "firmware",
      .kind = OPTION_STRING,
      .offset = offsetof(struct tdx_options, firmware),
      .value = "FILE",
      .help = "the image: TDVF, or OVMF with its variables in front" },
    { .name = "variables",
      .kind = OPTION_STRING,
      .offset = offsetof(struct tdx_options, variables),
      .value = "FILE",
      .help = "variables of a split OVMF, put in front of the image (none)" },
    { .name = "two-pass",
      .offset = offsetof(struct tdx_options, two_pass),
      .help = "as kernels before KVM's own support add pages (page by page)" },
};

static const struct option_table tdx_table = {
    .program = "s3n measure tdx",
    .usage = "--firmware FILE",
    .about = "Prints MRTD of a trust domain that starts from this firmware.",
    .rows = tdx_rows,
    .row_count = ARRAY_COUNT(tdx_rows),
    CLI_SHARED,
};

static json_t *tdvf_json(const struct tdvf *tdvf)
{
    json_t *sections = json_array();
    for (size_t i = 0; i < tdvf->section_count; i++) {
        const struct tdvf_section *section = &tdvf->sections[i];
        json_array_append_new(
            sections,
            json_pack("{s:o,s:o,s:o,s:o,s:i,s:i,s:s}", "data_offset",
                      number_json(section->data_offset), "raw_size", number_json(section->raw_size),
                      "gpa", number_json(section->address), "mem_size",
                      number_json(section->memory_size), "type", (int)section->type, "attributes",
                      (int)section->attributes, "name", tdvf_section_name(section->type)));
    }
    return sections;
}

static bool tdx_run(struct cli *cli, const void *given,
                    const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct tdx_options *options = given;
    if (options->firmware == NULL)
        return error_set(error, ERROR_USAGE, "which --firmware?");
    AUTO_BUFFER struct buffer image;
    AUTO_BUFFER struct buffer code;
    struct tdvf tdvf;
    buffer_init(&image, FIRMWARE_SIZE_MAX);
    buffer_init(&code, FIRMWARE_SIZE_MAX);
    if ((options->variables != NULL && !file_read(&image, options->variables, error)) ||
        !file_read(&code, options->firmware, error))
        return false;
    buffer_append(&image, buffer_view(&code));
    if (image.failed)
        return error_set(error, ERROR_LIMIT, "firmware has at most %d bytes", FIRMWARE_SIZE_MAX);
    if (!tdvf_parse(&tdvf, buffer_view(&image), error))
        return error_within(error, "%s", options->firmware);
    struct digest48 two_pass = tdx_mrtd(buffer_view(&image), &tdvf, true);
    struct digest48 mrtd =
        options->two_pass ? two_pass : tdx_mrtd(buffer_view(&image), &tdvf, false);
    return show(cli,
                json_pack("{s:o,s:o,s:o}", "mrtd", hex_json(BYTES_OF(mrtd.bytes)), "mrtd_two_pass",
                          hex_json(BYTES_OF(two_pass.bytes)), "sections", tdvf_json(&tdvf)),
                error);
}

static const struct verb verb_tdx = { .name = "tdx",
                                      .summary = "MRTD of a firmware image",
                                      .table = &tdx_table,
                                      .options_size = sizeof(struct tdx_options),
                                      .run = tdx_run };

/* s3n measure rtmr */

struct rtmr_options {
    const char *event_log;
    const char *format;
};

static const struct option_row rtmr_rows[] = {
    { .name = "event-log",
      .kind = OPTION_STRING,
      .offset = offsetof(struct rtmr_options, event_log),
      .value = "FILE",
      .help = "the log" },
    { .name = "format",
      .kind = OPTION_STRING,
      .offset = offsetof(struct rtmr_options, format),
      .value = "ccel|dstack|s3n",
      .help = "how it is written (ccel)" },
};

static const struct option_table rtmr_table = {
    .program = "s3n measure rtmr",
    .usage = "--event-log FILE",
    .about =
        "Replays an event log to the registers RTMR0 to RTMR3, and shows what each event says.\n"
        "What an event says is proven only where its digest is of its data.",
    .rows = rtmr_rows,
    .row_count = ARRAY_COUNT(rtmr_rows),
    CLI_SHARED,
};

static void event_add(void *context, const struct measured_event *event)
{
    json_t *log = context;
    json_array_append_new(log, json_pack("{s:i,s:s,s:o,s:s,s:s}", "rtmr", (int)event->rtmr, "type",
                                         event->type_name, "digest",
                                         hex_json(BYTES_OF(event->digest.bytes)), "digest_of",
                                         event_digest_name(event->digest_of), "says", event->text));
}

static bool show_log(const struct cli *cli, const json_t *log, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 16 << 20);
    for (size_t i = 0; !cli->json && !cli->quiet && i < json_array_size(log); i++) {
        const char *type, *says, *digest_of;
        int rtmr;
        if (json_unpack(json_array_get(log, i), "{s:i,s:s,s:s,s:s}", "rtmr", &rtmr, "type", &type,
                        "says", &says, "digest_of", &digest_of) == 0)
            buffer_format(&text, "%d  %-34s %s (digest of %s)\n", rtmr, type, says, digest_of);
    }
    return text.size == 0 || cli_write_lines(buffer_view(&text), error);
}

static const struct {
    const char *name;
    bool (*replay)(struct event_replay *replay, struct bytes log, struct error *error);
} log_formats[] = { { "ccel", event_log_replay_ccel },
                    { "dstack", event_log_replay_dstack },
                    { "s3n", event_log_replay_s3n } };

static bool rtmr_run(struct cli *cli, const void *given,
                     const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct rtmr_options *options = given;
    if (options->event_log == NULL)
        return error_set(error, ERROR_USAGE, "which --event-log?");
    size_t format = 0;
    while (options->format != NULL && format < ARRAY_COUNT(log_formats) &&
           strcmp(options->format, log_formats[format].name) != 0)
        format++;
    if (format == ARRAY_COUNT(log_formats))
        return error_set(error, ERROR_USAGE, "--format must be ccel, dstack or s3n");
    AUTO_MAP struct bytes content = { 0 };
    AUTO_JSON json_t *log = json_array();
    struct event_replay replay = { .on_event = event_add, .context = log };
    if (!input_map(&content, options->event_log, error))
        return false;
    if (!log_formats[format].replay(&replay, content, error))
        return error_within(error, "%s", options->event_log);
    if (!show_log(cli, log, error))
        return false;
    json_t *registers = json_object();
    char names[RTMR_COUNT][8];
    for (size_t i = 0; i < RTMR_COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "rtmr%zu", i);
        json_object_set_new(registers, names[i], hex_json(BYTES_OF(replay.rtmr[i].bytes)));
    }
    if (!cli->json)
        return show(cli, registers, error);
    return show(cli,
                json_pack("{s:o,s:I,s:I,s:O}", "rtmr", registers, "events",
                          (json_int_t)replay.event_count, "bytes_used",
                          (json_int_t)replay.size_used, "log", log),
                error);
}

static const struct verb verb_rtmr = { .name = "rtmr",
                                       .summary = "RTMRs that an event log leads to",
                                       .table = &rtmr_table,
                                       .options_size = sizeof(struct rtmr_options),
                                       .run = rtmr_run };

/* s3n measure snp */

struct snp_options {
    const char *firmware, *kernel, *initrd, *command_line, *svsm;
    const char *vcpu_signature, *sev_features, *vmm;
    const char *id_block, *id_auth;
    uint64_t vcpus;
    uint64_t variables_size;
};

#define SNP_TEXT(option, field, form, text)                                                        \
    {                                                                                              \
        .name = option, .kind = OPTION_STRING, .offset = offsetof(struct snp_options, field),      \
        .value = form, .help = text                                                                \
    }

static const struct option_row snp_rows[] = {
    SNP_TEXT("firmware", firmware, "FILE", "OVMF image, without its variables"),
    { .name = "vcpus",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct snp_options, vcpus),
      .value = "N",
      .help = "virtual processors (1)",
      .min = 1,
      .max = VCPU_COUNT_MAX },
    SNP_TEXT("vcpu-sig", vcpu_signature, "HEX",
             "CPUID 1 EAX of the processor model, e.g. 0x00800f12 (0)"),
    SNP_TEXT("sev-features", sev_features, "HEX", "SEV_FEATURES of the launcher (0x1)"),
    SNP_TEXT("kernel", kernel, "FILE", "a kernel whose hash the firmware checks (none)"),
    SNP_TEXT("initrd", initrd, "FILE", "its initial ramdisk (empty)"),
    SNP_TEXT("cmdline", command_line, "TEXT", "its command line (empty)"),
    SNP_TEXT("vmm", vmm, "qemu|ec2|gce", "who launches (qemu)"),
    SNP_TEXT("svsm", svsm, "FILE", "an SVSM image below firmware and variables (none)"),
    { .name = "variables-size",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct snp_options, variables_size),
      .value = "BYTES",
      .help = "with --svsm: size of the firmware's variables (540672)",
      .max = FIRMWARE_SIZE_MAX },
    SNP_TEXT("id-block", id_block, "FILE", "an ID block, which must be for this launch (none)"),
    SNP_TEXT("id-auth", id_auth, "FILE", "its ID authentication"),
};

static const struct snp_options snp_defaults = { .vcpus = 1, .variables_size = 540672 };

static const struct option_table snp_table = {
    .program = "s3n measure snp",
    .usage = "--firmware FILE",
    .about =
        "Prints the launch digest (MEASUREMENT) of an SEV-SNP guest.  With an ID block: checks "
        "that\n"
        "its signatures hold and that it is for this launch, and prints the digests of its keys;\n"
        "then --firmware may be left out.",
    .rows = snp_rows,
    .row_count = ARRAY_COUNT(snp_rows),
    CLI_SHARED,
};

static bool snp_words(struct snp_launch *launch, const struct snp_options *options,
                      struct error *error)
{
    uint64_t signature = 0;
    launch->vcpu_count = (uint32_t)options->vcpus;
    launch->sev_features = 1;
    launch->variables_size = options->variables_size;
    if (options->vcpu_signature != NULL &&
        !number_parse(&signature, options->vcpu_signature, UINT32_MAX, "vcpu-sig", error))
        return false;
    launch->vcpu_signature = (uint32_t)signature;
    if (options->sev_features != NULL && !number_parse(&launch->sev_features, options->sev_features,
                                                       UINT64_MAX, "sev-features", error))
        return false;
    if (options->vmm != NULL && !snp_vmm_find(&launch->vmm, options->vmm))
        return error_set(error, ERROR_USAGE, "--vmm must be qemu, ec2 or gce");
    if (options->kernel == NULL && (options->initrd != NULL || options->command_line != NULL))
        return error_set(error, ERROR_USAGE, "--initrd and --cmdline go with a --kernel");
    launch->has_kernel = options->kernel != NULL;
    if (options->command_line != NULL)
        launch->command_line = bytes_of_string(options->command_line);
    return true;
}

/* The members of `report` that an ID block has. */
static bool id_block_report(struct snp_id_block *block, json_t *report,
                            const struct snp_options *options, struct error *error)
{
    AUTO_MAP struct bytes id_block = { 0 };
    AUTO_MAP struct bytes id_auth = { 0 };
    if (options->id_auth == NULL)
        return error_set(error, ERROR_USAGE, "--id-block goes with an --id-auth");
    if (!input_map(&id_block, options->id_block, error) ||
        !input_map(&id_auth, options->id_auth, error) ||
        !snp_id_block_verify(block, id_block, id_auth, error))
        return false;
    AUTO_JSON json_t *members = json_pack(
        "{s:o, s:o, s:b, s:b, s:{s:o, s:o, s:o, s:I, s:o}}", "id_key_digest",
        hex_json(BYTES_OF(block->id_key_digest.bytes)), "author_key_digest",
        hex_json(BYTES_OF(block->author_key_digest.bytes)), "id_block_signature_verifies", 1,
        "id_key_signature_verifies", (int)block->has_author_key, "id_block", "measurement",
        hex_json(BYTES_OF(block->measurement)), "family_id", hex_json(BYTES_OF(block->family_id)),
        "image_id", hex_json(BYTES_OF(block->image_id)), "guest_svn", (json_int_t)block->guest_svn,
        "policy", number_json(block->policy));
    if (members == NULL || json_object_update(report, members) != 0)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    return true;
}

static bool launch_report(json_t *report, const struct snp_options *options,
                          const struct snp_id_block *block, struct error *error)
{
    struct snp_launch launch = { 0 };
    struct digest48 digest;
    AUTO_MAP struct bytes firmware = { 0 };
    AUTO_MAP struct bytes kernel = { 0 };
    AUTO_MAP struct bytes initrd = { 0 };
    AUTO_MAP struct bytes svsm = { 0 };
    if (!snp_words(&launch, options, error) || !input_map(&firmware, options->firmware, error) ||
        !input_map(&kernel, options->kernel, error) ||
        !input_map(&initrd, options->initrd, error) || !input_map(&svsm, options->svsm, error))
        return false;
    launch.firmware = firmware;
    launch.kernel = kernel;
    launch.initrd = initrd;
    launch.svsm = svsm;
    if (!snp_launch_digest(&digest, &launch, error))
        return error_within(error, "%s", options->firmware);
    if (block != NULL && !bytes_equal(BYTES_OF(digest.bytes), BYTES_OF(block->measurement)))
        return error_set(error, ERROR_UNVERIFIED, "ID block is for another launch");
    if (json_object_set_new(report, "launch_digest", hex_json(BYTES_OF(digest.bytes))) != 0)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    return true;
}

static bool snp_run(struct cli *cli, const void *given,
                    const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct snp_options *options = given;
    struct snp_id_block block;
    AUTO_JSON json_t *report = json_object();
    if (options->firmware == NULL && options->id_block == NULL)
        return error_set(error, ERROR_USAGE, "which --firmware?");
    if (options->id_block == NULL && options->id_auth != NULL)
        return error_set(error, ERROR_USAGE, "--id-auth goes with an --id-block");
    return (options->id_block == NULL || id_block_report(&block, report, options, error)) &&
           (options->firmware == NULL ||
            launch_report(report, options, options->id_block == NULL ? NULL : &block, error)) &&
           show(cli, TAKE(report), error);
}

static const struct verb verb_snp = { .name = "snp",
                                      .summary = "launch digest of an SEV-SNP guest",
                                      .table = &snp_table,
                                      .defaults = &snp_defaults,
                                      .options_size = sizeof(struct snp_options),
                                      .run = snp_run };

/* s3n measure sgx, s3n measure nitro */

static const struct option_table sgx_table = {
    .program = "s3n measure sgx",
    .usage = "FILE.sgxs",
    .about =
        "Prints MRENCLAVE of an enclave given as SGX stream: the records ECREATE, EADD, EEXTEND "
        "in the\norder of loading (what is not measured may stand in between as UNMEASRD).",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static bool sgx_run(struct cli *cli, const void *options UNUSED,
                    const struct option_arguments *arguments, struct error *error)
{
    AUTO_MAP struct bytes stream = { 0 };
    struct sgx_measurement measurement;
    if (!input_map(&stream, arguments->items[0], error))
        return false;
    if (!sgx_measure(&measurement, stream, error))
        return error_within(error, "%s", arguments->items[0]);
    return show(cli,
                json_pack("{s:o,s:o,s:I,s:I,s:I,s:I}", "mrenclave",
                          hex_json(BYTES_OF(measurement.mr_enclave.bytes)), "size",
                          number_json(measurement.size), "ssa_frame_size",
                          (json_int_t)measurement.ssa_frame_size, "pages",
                          (json_int_t)measurement.page_count, "measured_chunks",
                          (json_int_t)measurement.measured_chunk_count, "unmeasured_chunks",
                          (json_int_t)measurement.unmeasured_chunk_count),
                error);
}

static const struct verb verb_sgx = {
    .name = "sgx", .summary = "MRENCLAVE of an enclave", .table = &sgx_table, .run = sgx_run
};

static const struct option_table nitro_table = {
    .program = "s3n measure nitro",
    .usage = "FILE.eif",
    .about = "Prints PCR0 to PCR2 of an enclave image, and PCR8 when it is signed.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static bool nitro_run(struct cli *cli, const void *options UNUSED,
                      const struct option_arguments *arguments, struct error *error)
{
    AUTO_MAP struct bytes image = { 0 };
    struct eif_measurement measurement;
    if (!input_map(&image, arguments->items[0], error))
        return false;
    if (!eif_measure(&measurement, image, error))
        return error_within(error, "%s", arguments->items[0]);
    json_t *report =
        json_pack("{s:o,s:o,s:o}", "pcr0", hex_json(BYTES_OF(measurement.pcr[0].bytes)), "pcr1",
                  hex_json(BYTES_OF(measurement.pcr[1].bytes)), "pcr2",
                  hex_json(BYTES_OF(measurement.pcr[2].bytes)));
    if (measurement.is_signed)
        json_object_set_new(report, "pcr8", hex_json(BYTES_OF(measurement.pcr8.bytes)));
    return show(cli, report, error);
}

static const struct verb verb_nitro = {
    .name = "nitro", .summary = "PCRs of an enclave image", .table = &nitro_table, .run = nitro_run
};

/* s3n measure */

static const struct option_table measure_table = {
    .program = "s3n measure",
    .usage = "tdx|rtmr|snp|sgx|nitro ...",
    .about = "Computes what a launch should measure, for a policy to name:\n"
             "  tdx    MRTD of a firmware image\n"
             "  rtmr   RTMR0 to RTMR3 that an event log leads to\n"
             "  snp    launch digest of an SEV-SNP guest\n"
             "  sgx    MRENCLAVE of an enclave\n"
             "  nitro  PCRs of an enclave image\n"
             "`s3n help measure KIND` explains each.",
    CLI_SHARED,
    .positional_max = UINT32_MAX,
};

static const struct verb *const subverbs[] = { &verb_tdx, &verb_rtmr,  &verb_snp,
                                               &verb_sgx, &verb_nitro, NULL };

const struct verb verb_measure = { .name = "measure",
                                   .summary = "compute what a launch should measure",
                                   .table = &measure_table,
                                   .subverbs = subverbs };
