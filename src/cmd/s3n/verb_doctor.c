/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n doctor`: what this machine has of what S3N needs, and what its hardware shares and leaks. */
#include "base/cgroup.h"
#include "base/file.h"
#include "base/processor.h"
#include "base/spawn.h"
#include "cmd/s3n/cli.h"
#include "slipstream/handover.h"
#include "slipstream/restoring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct option_table doctor_table = {
    .program = "s3n doctor",
    .usage = "",
    .about = "Looks at this machine: what running functions needs (processor, /dev/kvm,\n"
             "namespaces, programs), which platform for attestation it offers, and what its\n"
             "hardware shares between programs (SMT, vulnerabilities; docs/side-channels.md).\n"
             "Exit code 0 when functions can run here, 7 when something is missing.",
    CLI_SHARED,
};

enum finding_state {
    FINDING_GOOD,
    FINDING_NOTE,   /* worth knowing */
    FINDING_MISSING /* functions can't run */
};

enum {
    FINDINGS_MAX = 32
};

struct finding {
    const char *name;
    enum finding_state state;
    char text[256];
    const char *hint; /* NULL: nothing to do */
};

struct findings {
    struct finding rows[FINDINGS_MAX];
    size_t count;
};

static struct finding *finding_add(struct findings *findings, const char *name,
                                   enum finding_state state, const char *hint)
{
    ASSERT(findings->count < FINDINGS_MAX);
    struct finding *made = &findings->rows[findings->count++];
    *made = (struct finding){ .name = name, .state = state, .hint = hint };
    return made;
}

static void look_at_processor(struct findings *findings, const struct processor *processor)
{
    struct finding *row = finding_add(
        findings, "processor", processor->has_v3 ? FINDING_GOOD : FINDING_MISSING,
        processor->has_v3 ? NULL : "compiled code needs AVX2, BMI2 and FMA (x86-64-v3)");
    snprintf(row->text, sizeof(row->text), "%s, %u cores", processor->model, processor->core_count);
    row = finding_add(findings, "smt", processor->uses_smt ? FINDING_NOTE : FINDING_GOOD,
                      processor->uses_smt ? "two programs may share a core; a node can insist with "
                                            "[processor] smt = \"off\""
                                          : NULL);
    snprintf(row->text, sizeof(row->text), "%s",
             !processor->knows_smt ? "not told by the kernel"
             : processor->uses_smt ? "sibling threads are in use"
                                   : "off");
    char names[200];
    processor_open_names(processor, names, sizeof(names));
    bool is_open = strcmp(names, "none") != 0;
    row = finding_add(findings, "mitigations", is_open ? FINDING_NOTE : FINDING_GOOD,
                      is_open ? "see /sys/devices/system/cpu/vulnerabilities; a node can insist "
                                "with [processor] mitigations = \"required\""
                              : NULL);
    if (processor->vulnerability_count == 0)
        snprintf(row->text, sizeof(row->text), "not told by the kernel");
    else
        snprintf(row->text, sizeof(row->text), "%zu vulnerabilities known, open: %s",
                 processor->vulnerability_count, names);
}

static void look_at_kvm(struct findings *findings)
{
    int descriptor = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (descriptor < 0) {
        const char *hint = errno == EACCES
                               ? "join the group that owns /dev/kvm (`kvm` on Debian), or use the "
                                 "backend `process` (--backend process)"
                               : "without it only the backend `process` runs functions (--backend "
                                 "process, or backend = \"process\" of a node)";
        struct finding *row = finding_add(findings, "kvm", FINDING_NOTE, hint);
        snprintf(row->text, sizeof(row->text), "/dev/kvm: %s", strerror(errno));
        return;
    }
    close(descriptor);
    struct finding *row = finding_add(findings, "kvm", FINDING_GOOD, NULL);
    snprintf(row->text, sizeof(row->text), "/dev/kvm can be opened");
}

/* In a child, since it can't be undone. */
static bool can_make_namespaces(void)
{
    pid_t child = fork();
    int status = 1;
    if (child == 0)
        _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void look_at_jails(struct findings *findings)
{
    bool is_root = geteuid() == 0;
    bool can = is_root || can_make_namespaces();
    struct finding *row = finding_add(findings, "jails", can ? FINDING_GOOD : FINDING_MISSING,
                                      can ? NULL
                                          : "allow user namespaces (user.max_user_namespaces, "
                                            "kernel.unprivileged_userns_clone) or run as root");
    snprintf(row->text, sizeof(row->text), "%s",
             is_root ? "as root: a user and namespaces for each process"
             : can   ? "as an ordinary user: user namespaces"
                     : "this user may not make namespaces");
}

/* A node's group is not this one, unless both were started from here. */
static void look_at_groups(struct findings *findings)
{
    char folder[PATH_MAX];
    struct cgroup_view view = { 0 };
    struct error error;
    bool found =
        cgroup_find_own(folder, &error) && cgroup_look(&view, &cgroup_files_system, folder, &error);
    bool has_all = found && view.is_writable;
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++)
        has_all = has_all && view.offers[i];
    struct finding *row =
        finding_add(findings, "cgroups", has_all ? FINDING_GOOD : FINDING_NOTE,
                    has_all ? NULL
                            : "a node limits its children by control groups of version 2 where "
                              "it has one of its own (systemd: Delegate=yes); [cgroup] in "
                              "docs/operating.md");
    if (!found) {
        snprintf(row->text, sizeof(row->text), "%.200s", error.text);
        return;
    }
    snprintf(row->text, sizeof(row->text), "offered here:");
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (view.offers[i])
            snprintf(row->text + strlen(row->text), sizeof(row->text) - strlen(row->text), " %s",
                     cgroup_controller_name((enum cgroup_controller)i));
    }
    bool offers_any = row->text[strlen(row->text) - 1] != ':';
    snprintf(row->text + strlen(row->text), sizeof(row->text) - strlen(row->text), "%s%s",
             offers_any ? "" : " none of memory, pids, cpu",
             view.is_writable ? "" : "; this user may not use them");
}

/* As a node measures them at its start. */
static void look_at_costs(struct findings *findings)
{
    struct handover handover = handover_measure();
    struct restoring_costs costs;
    struct error error;
    struct finding *row = finding_add(findings, "hand-over", FINDING_GOOD, NULL);
    snprintf(row->text, sizeof(row->text), "%s (there and back: %.1f us blocking, %.1f watching)",
             handover.watches ? "watching while a core is free" : "blocking",
             (double)handover.blocking_ns / 1000, (double)handover.watching_ns / 1000);
    bool is_measured = restoring_measure(&costs, &error);
    row = finding_add(findings, "reset", is_measured ? FINDING_GOOD : FINDING_NOTE, NULL);
    struct restoring chosen = restoring_choose(RESTORING_AUTO, &costs);
    if (is_measured)
        snprintf(row->text, sizeof(row->text),
                 "backend process: whole up to %u KiB, kept up to %u (copy %u ns a page, fault %u, "
                 "system call %u, discard %u)",
                 chosen.whole_pages * 4, chosen.kept_pages * 4, costs.copy_ns, costs.fault_ns,
                 costs.call_ns, costs.discard_ns);
    else
        snprintf(row->text, sizeof(row->text), "%.200s", error.text);
}

static void look_at_programs(struct findings *findings)
{
    static const char *const programs[] = { "s3n-compile", "slipstream", "s3nd", "s3n-keeper" };
    for (size_t i = 0; i < ARRAY_COUNT(programs); i++) {
        char path[PATH_MAX];
        struct error error;
        bool found =
            spawn_sibling_path(path, sizeof(path), programs[i], &error) && access(path, X_OK) == 0;
        bool is_needed = i < 2;
        struct finding *row =
            finding_add(findings, programs[i],
                        found       ? FINDING_GOOD
                        : is_needed ? FINDING_MISSING
                                    : FINDING_NOTE,
                        found       ? NULL
                        : is_needed ? "install it beside s3n, or set S3N_LIBEXEC to its folder"
                                    : "only needed to run a node here");
        snprintf(row->text, sizeof(row->text), "%.200s", found ? path : "not found");
    }
}

static void look_at_platforms(struct findings *findings)
{
    static const struct {
        const char *path, *name;
    } devices[] = { { "/dev/tdx_guest", "Intel TDX" },
                    { "/dev/sev-guest", "AMD SEV-SNP" },
                    { "/dev/nsm", "AWS Nitro" },
                    { "/dev/attestation/quote", "SGX by Gramine" } };
    struct finding *row = finding_add(findings, "platform", FINDING_NOTE,
                                      "a node here can only simulate evidence (sim)");
    snprintf(row->text, sizeof(row->text), "no trusted execution environment found");
    for (size_t i = 0; i < ARRAY_COUNT(devices); i++) {
        if (access(devices[i].path, F_OK) != 0)
            continue;
        row->state = FINDING_GOOD;
        row->hint = NULL;
        snprintf(row->text, sizeof(row->text), "%s (%s)", devices[i].name, devices[i].path);
    }
}

static bool write_findings_json(const struct findings *findings, const struct processor *processor,
                                bool can_run, struct error *error)
{
    static const char *const states[] = { "good", "note", "missing" };
    json_t *rows = json_array(), *vulnerabilities = json_object();
    AUTO_JSON json_t *json = json_pack("{s:b, s:o, s:o}", "can_run", can_run, "findings", rows,
                                       "vulnerabilities", vulnerabilities);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *row = &findings->rows[i];
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:s, s:s?}", "name", row->name, "state",
                                        states[row->state], "text", row->text, "hint", row->hint));
    }
    for (size_t i = 0; i < processor->vulnerability_count; i++)
        json_object_set_new(vulnerabilities, processor->vulnerabilities[i].name,
                            json_string(processor->vulnerabilities[i].state));
    if (json == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for JSON");
    return cli_write_json(json, error);
}

static bool write_findings(const struct findings *findings, bool can_run, struct error *error)
{
    static const char *const marks[] = { "ok  ", "note", "MISS" };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 64 << 10);
    bool has_kvm = true;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *row = &findings->rows[i];
        has_kvm = has_kvm && (row->state == FINDING_GOOD || strcmp(row->name, "kvm") != 0);
        buffer_format(&text, "%s  %-12s %s\n", marks[row->state], row->name, row->text);
        if (row->hint != NULL)
            buffer_format(&text, "                   %s\n", row->hint);
    }
    buffer_append_string(&text, !can_run ? "functions can't run here: see MISS\n"
                                : has_kvm
                                    ? "functions can run here\n"
                                    : "functions can run here, by the backend `process` alone\n");
    return cli_write_lines(buffer_view(&text), error);
}

static bool doctor_run(struct cli *cli, const void *options UNUSED,
                       const struct option_arguments *arguments UNUSED, struct error *error)
{
    static struct processor processor;
    static struct findings findings;
    processor_read(&processor, PROCESSOR_FOLDER);
    look_at_processor(&findings, &processor);
    look_at_kvm(&findings);
    look_at_jails(&findings);
    look_at_groups(&findings);
    look_at_costs(&findings);
    look_at_programs(&findings);
    look_at_platforms(&findings);
    bool can_run = true;
    for (size_t i = 0; i < findings.count; i++)
        can_run = can_run && findings.rows[i].state != FINDING_MISSING;
    cli->exit_code = can_run ? 0 : error_exit_code(ERROR_UNAVAILABLE);
    return cli->json ? write_findings_json(&findings, &processor, can_run, error)
                     : write_findings(&findings, can_run, error);
}

const struct verb verb_doctor = { .name = "doctor",
                                  .summary = "look at what this machine has of what S3N needs",
                                  .table = &doctor_table,
                                  .run = doctor_run };
