/* SPDX-License-Identifier: Apache-2.0 */
#define FUSE_USE_VERSION 35

#include "tests/platform/fake_kernel.h"
#include "tests/platform/fake_document.h"

#include "attest/amd/snp.h"
#include "attest/events/events.h"
#include "attest/intel/quote.h"
#include "core/cbor.h"
#include "core/reader.h"
#include "core/writer.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <linux/ioctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    EVIDENCE_SIZE_MAX = 16 << 10,
    ENTRY_COUNT_MAX = 4,
    TD_REPORT_DATA_OFFSET = 48 + 520,
    TD_RTMR3_OFFSET = 48 + 472,
    SGX_REPORT_DATA_OFFSET = 48 + 320,
    SNP_REPORT_DATA_OFFSET = 0x50,
    HANG_S = 60
};

#define REPORTS "/sys/kernel/config/tsm/report"
#define RTMR3   "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"

/* An entry of configfs-tsm. */
struct entry {
    char name[64];
    uint8_t input[64];
    bool has_input;
    unsigned generation;
};

/* A file while it is open: configfs makes what it gives at the first read and keeps it. */
struct handle {
    uint8_t bytes[EVIDENCE_SIZE_MAX];
    size_t size;
    bool is_filled;
    bool was_written;
};

static struct fake_script *script;
static struct entry entries[ENTRY_COUNT_MAX];
static uint8_t gramine_input[64];
static struct bytes td_quote, sgx_quote, snp_report;

/* --- evidence --- */

static size_t patched(uint8_t *target, struct bytes source, size_t offset,
                      const uint8_t report_data[64])
{
    memcpy(target, source.data, source.size);
    memcpy(target + offset, report_data, 64);
    return source.size;
}

/* 0 or a negative errno. */
static int register_extend(const uint8_t *digest)
{
    struct digest48 next;
    if (script->extend_fails)
        return -EIO;
    memcpy(script->extended, digest, sizeof(script->extended));
    memcpy(next.bytes, digest, sizeof(next.bytes));
    events_extend(&script->event_register, &next);
    script->extend_count++;
    return 0;
}

/* What the script does to each read of evidence; 0 or a negative errno. */
static int trouble(void)
{
    script->read_count++;
    if (script->hangs) {
        struct timespec pause = { .tv_sec = HANG_S };
        if (nanosleep(&pause, NULL) != 0)
            return -EINTR;
    }
    if (script->busy_count > 0) {
        script->busy_count--;
        return -EBUSY;
    }
    return -script->failure;
}

size_t (*fake_quote_make)(uint8_t *target, size_t capacity, const uint8_t report_data[64],
                          const uint8_t event_register[48]);

static size_t evidence_make(uint8_t *target, enum fake_provider provider,
                            const uint8_t report_data[64])
{
    uint8_t about[64];
    memcpy(about, report_data, sizeof(about));
    if (script->lies)
        about[0] ^= 1;
    if (provider == FAKE_TSM_TDX && fake_quote_make != NULL)
        return fake_quote_make(target, EVIDENCE_SIZE_MAX, about, script->event_register.bytes);
    size_t size =
        provider == FAKE_TSM_SNP   ? patched(target, snp_report, SNP_REPORT_DATA_OFFSET, about)
        : provider == FAKE_GRAMINE ? patched(target, sgx_quote, SGX_REPORT_DATA_OFFSET, about)
                                   : patched(target, td_quote, TD_REPORT_DATA_OFFSET, about);
    if (provider == FAKE_TSM_TDX)
        memcpy(target + TD_RTMR3_OFFSET, script->event_register.bytes, sizeof(struct digest48));
    return script->is_cut ? size / 2 : size;
}

/* --- the tree --- */

static bool is_tsm(void)
{
    return script->provider == FAKE_TSM_TDX || script->provider == FAKE_TSM_SNP;
}

static struct entry *entry_find(const char *path, const char **file)
{
    if (strncmp(path, REPORTS "/", sizeof(REPORTS)) != 0)
        return NULL;
    const char *name = path + sizeof(REPORTS);
    size_t size = strcspn(name, "/");
    *file = name[size] == '/' ? name + size + 1 : "";
    for (size_t i = 0; i < ENTRY_COUNT_MAX; i++)
        if (entries[i].name[0] != '\0' && strlen(entries[i].name) == size &&
            strncmp(entries[i].name, name, size) == 0)
            return &entries[i];
    return NULL;
}

static bool is_folder(const char *path)
{
    static const char *const folders[] = {
        "/",
        "/dev",
        "/sys",
        "/sys/kernel",
        "/sys/kernel/config",
        "/sys/kernel/config/tsm",
        REPORTS,
        "/sys/devices",
        "/sys/devices/virtual",
        "/sys/devices/virtual/misc",
        "/sys/devices/virtual/misc/tdx_guest",
        "/sys/devices/virtual/misc/tdx_guest/measurements",
    };
    if (strcmp(path, REPORTS) == 0)
        return is_tsm() || script->has_no_driver;
    if (strcmp(path, "/dev/attestation") == 0)
        return script->provider == FAKE_GRAMINE;
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        if (strcmp(path, folders[i]) == 0)
            return true;
    const char *file;
    return entry_find(path, &file) != NULL && file[0] == '\0';
}

/* Permissions of a file, 0 when there is none. */
static mode_t file_mode(const char *path)
{
    static const struct {
        const char *path;
        enum fake_provider provider;
        mode_t mode;
    } files[] = {
        { RTMR3, FAKE_TSM_TDX, 0644 },
        { "/dev/tdx_guest", FAKE_TDX_GUEST, 0600 },
        { "/dev/nsm", FAKE_NSM, 0600 },
        { "/dev/attestation/attestation_type", FAKE_GRAMINE, 0444 },
        { "/dev/attestation/user_report_data", FAKE_GRAMINE, 0644 },
        { "/dev/attestation/quote", FAKE_GRAMINE, 0444 },
    };
    static const struct {
        const char *name;
        mode_t mode;
    } attributes[] = { { "inblob", 0200 },
                       { "outblob", 0400 },
                       { "auxblob", 0400 },
                       { "provider", 0400 },
                       { "generation", 0400 } };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        if (strcmp(path, files[i].path) == 0)
            return script->provider == (int)files[i].provider ? files[i].mode : 0;
    const char *file;
    if (entry_find(path, &file) != NULL)
        for (size_t i = 0; i < ARRAY_COUNT(attributes); i++)
            if (strcmp(file, attributes[i].name) == 0)
                return attributes[i].mode;
    return 0;
}

static int fake_getattr(const char *path, struct stat *status, struct fuse_file_info *info UNUSED)
{
    memset(status, 0, sizeof(*status));
    status->st_nlink = 1;
    status->st_mode = is_folder(path) ? S_IFDIR | 0755 : S_IFREG | file_mode(path);
    return (status->st_mode & 07777) == 0 ? -ENOENT : 0;
}

static int fake_readdir(const char *path UNUSED, void *buffer, fuse_fill_dir_t fill,
                        off_t offset UNUSED, struct fuse_file_info *info UNUSED,
                        enum fuse_readdir_flags flags UNUSED)
{
    fill(buffer, ".", NULL, 0, 0);
    return 0;
}

static int fake_mkdir(const char *path, mode_t mode UNUSED)
{
    const char *file;
    if (strncmp(path, REPORTS "/", sizeof(REPORTS)) != 0)
        return -EPERM;
    if (!is_tsm())
        return -ENXIO; /* tsm_report_make_item without a provider */
    if (entry_find(path, &file) != NULL)
        return -EEXIST;
    for (size_t i = 0; i < ENTRY_COUNT_MAX; i++)
        if (entries[i].name[0] == '\0') {
            entries[i] = (struct entry){ 0 };
            snprintf(entries[i].name, sizeof(entries[i].name), "%s", path + sizeof(REPORTS));
            return 0;
        }
    return -ENOSPC;
}

static int fake_chown(const char *path UNUSED, uid_t user UNUSED, gid_t group UNUSED,
                      struct fuse_file_info *info UNUSED)
{
    return 0;
}

static int fake_truncate(const char *path UNUSED, off_t size UNUSED,
                         struct fuse_file_info *info UNUSED)
{
    return 0;
}

/* --- files --- */

static int fake_open(const char *path, struct fuse_file_info *info)
{
    if (file_mode(path) == 0)
        return -ENOENT;
    info->fh = (uintptr_t)calloc(1, sizeof(struct handle));
    info->direct_io = 1;
    return info->fh == 0 ? -ENOMEM : 0;
}

static int entry_fill(struct handle *handle, struct entry *entry, const char *file)
{
    if (strcmp(file, "provider") == 0)
        handle->size =
            (size_t)snprintf((char *)handle->bytes, sizeof(handle->bytes), "%s\n",
                             script->provider == FAKE_TSM_SNP ? "sev_guest" : "tdx_guest");
    else if (strcmp(file, "generation") == 0)
        handle->size = (size_t)snprintf((char *)handle->bytes, sizeof(handle->bytes),
                                        script->nonsense == FAKE_GENERATION_NO_NUMBER ? "%ux\n"
                                        : script->nonsense == FAKE_GENERATION_LONG    ? "%0200u\n"
                                                                                      : "%u\n",
                                        entry->generation);
    else if (strcmp(file, "auxblob") == 0 && script->provider == FAKE_TSM_SNP)
        handle->size = 24; /* a certificate table without entries */
    else if (strcmp(file, "outblob") == 0) {
        int failure = trouble();
        if (failure != 0)
            return failure;
        if (!entry->has_input)
            return -EINVAL;
        handle->size =
            evidence_make(handle->bytes, (enum fake_provider)script->provider, entry->input);
        if (script->foreign_count > 0) {
            script->foreign_count--;
            entry->generation++;
        }
    }
    return 0;
}

static size_t register_size(void)
{
    return sizeof(struct digest48) - (script->nonsense == FAKE_REGISTER_SHORT ? 1 : 0);
}

static int register_fill(struct handle *handle)
{
    memcpy(handle->bytes, script->event_register.bytes, sizeof(struct digest48));
    handle->size = register_size();
    return 0;
}

static int gramine_fill(struct handle *handle, const char *path)
{
    if (strcmp(path, "/dev/attestation/attestation_type") == 0) {
        memcpy(handle->bytes, script->refuses ? "none" : "dcap", 4);
        handle->size = 4;
        return 0;
    }
    int failure = trouble();
    if (failure == 0)
        handle->size = evidence_make(handle->bytes, FAKE_GRAMINE, gramine_input);
    return failure;
}

static int fake_read(const char *path, char *target, size_t size, off_t offset,
                     struct fuse_file_info *info)
{
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;
    const char *file;
    if (!handle->is_filled) {
        struct entry *entry = entry_find(path, &file);
        int failure = entry != NULL              ? entry_fill(handle, entry, file)
                      : strcmp(path, RTMR3) == 0 ? register_fill(handle)
                                                 : gramine_fill(handle, path);
        if (failure != 0)
            return failure;
        handle->is_filled = true;
    }
    struct bytes part = bytes_part(bytes_of(handle->bytes, handle->size), (size_t)offset,
                                   script->is_short ? MIN(size, (size_t)1) : size);
    if (part.size > 0)
        memcpy(target, part.data, part.size);
    return (int)part.size;
}

static int fake_write(const char *path, const char *source, size_t size, off_t offset,
                      struct fuse_file_info *info)
{
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;
    if (script->takes_half)
        return (int)(size / 2);
    if (strcmp(path, RTMR3) == 0) {
        if (offset != 0 || size != sizeof(script->extended))
            return -EINVAL;
        int failure = register_extend((const uint8_t *)source);
        return failure != 0 ? failure : (int)size;
    }
    if (offset < 0 || (size_t)offset + size > sizeof(handle->bytes))
        return -EFBIG;
    memcpy(handle->bytes + offset, source, size);
    handle->size = (size_t)offset + size;
    handle->was_written = true;
    return (int)size;
}

/* Binary attributes of configfs are committed when they are closed. */
static int fake_flush(const char *path, struct fuse_file_info *info)
{
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;
    const char *file;
    struct entry *entry = entry_find(path, &file);
    if (!handle->was_written)
        return 0;
    handle->was_written = false;
    uint8_t *target = entry != NULL ? entry->input : gramine_input;
    if (handle->size != 64)
        return -EINVAL;
    memcpy(target, handle->bytes, 64);
    if (entry != NULL) {
        entry->has_input = true;
        entry->generation++;
    }
    return 0;
}

static int fake_release(const char *path UNUSED, struct fuse_file_info *info)
{
    free((void *)(uintptr_t)info->fh);
    return 0;
}

/* --- devices --- */

struct fake_part {
    uint64_t address;
    uint64_t length;
};

static bool memory_copy(pid_t process, bool writes, void *local, struct fake_part remote)
{
    struct iovec here = { local, (size_t)remote.length };
    struct iovec there = { (void *)(uintptr_t)remote.address, (size_t)remote.length };
    ssize_t size = writes ? process_vm_writev(process, &here, 1, &there, 1, 0)
                          : process_vm_readv(process, &here, 1, &there, 1, 0);
    return size == (ssize_t)remote.length;
}

static size_t nsm_refusal(uint8_t *response)
{
    struct writer writer = writer_into(response, EVIDENCE_SIZE_MAX);
    cbor_write_map(&writer, 1);
    cbor_write_text(fake_named(&writer, "Error"), BYTES_LITERAL("InvalidOperation"));
    return writer.size;
}

static size_t nsm_answer(struct bytes request, uint8_t *response)
{
    struct writer writer = writer_into(response, EVIDENCE_SIZE_MAX);
    struct reader reader = cbor_reader_of(request, CBOR_UNSORTED);
    size_t count = cbor_read_map(&reader, 1);
    struct bytes name = cbor_read_text(&reader);
    if (reader.failed || count != 1 || script->refuses)
        return nsm_refusal(response);
    if (script->nonsense == FAKE_NSM_NO_CBOR)
        return 0;
    if (script->nonsense == FAKE_NSM_OTHER_KIND)
        name = BYTES_LITERAL("GetRandom");
    struct bytes data = { 0 };
    uint64_t index = 0;
    size_t pair_count = cbor_read_map(&reader, 3);
    for (size_t i = 0; i < pair_count; i++) {
        struct bytes key = cbor_read_text(&reader);
        if (cbor_peek(&reader) == CBOR_BYTES)
            data = cbor_read_bytes(&reader);
        else if (bytes_equal_string(key, "index"))
            index = cbor_read_unsigned(&reader);
        else
            cbor_read_null(&reader);
    }
    uint8_t document[EVIDENCE_SIZE_MAX], about[512] = { 0 };
    if (reader.failed || data.size > sizeof(about))
        return 0;
    if (data.size > 0)
        memcpy(about, data.data, data.size);
    about[0] ^= script->lies ? 1 : 0;
    cbor_write_map(&writer, 1);
    cbor_write_text(&writer, name);
    if (bytes_equal_string(name, "DescribePCR")) {
        cbor_write_map(&writer, 2);
        cbor_write_bytes(fake_named(&writer, "data"),
                         bytes_of(script->event_register.bytes, register_size()));
        cbor_write_boolean(fake_named(&writer, "lock"), false);
        return writer.size;
    }
    cbor_write_map(&writer, 1);
    if (bytes_equal_string(name, "ExtendPCR")) {
        if (index != 16 || data.size != sizeof(script->extended) || register_extend(data.data) != 0)
            return nsm_refusal(response);
        cbor_write_bytes(fake_named(&writer, "data"), BYTES_OF(script->event_register.bytes));
        return writer.size;
    }
    size_t size = fake_document_make(document, about, data.size);
    size = script->is_cut ? size / 2 : size;
    size = script->nonsense == FAKE_NSM_NO_DOCUMENT ? 0 : size;
    cbor_write_bytes(fake_named(&writer, "document"), bytes_of(document, size));
    return writer.size;
}

static int nsm_ioctl(struct fake_part parts[2])
{
    uint8_t request[0x1000], response[EVIDENCE_SIZE_MAX];
    pid_t process = fuse_get_context()->pid;
    if (parts[0].length > sizeof(request))
        return -EMSGSIZE;
    if (!memory_copy(process, false, request, parts[0]))
        return -EFAULT;
    int failure = trouble();
    if (failure != 0)
        return failure;
    size_t size = nsm_answer(bytes_of(request, (size_t)parts[0].length), response);
    if (size > parts[1].length)
        return -EINVAL;
    uint64_t room = parts[1].length;
    parts[1].length = size;
    if (!memory_copy(process, true, response, parts[1]))
        return -EFAULT;
    if (script->nonsense == FAKE_NSM_LONG)
        parts[1].length = room + 1;
    return 0;
}

static int tdx_ioctl(uint8_t *request)
{
    enum {
        REPORT_OFFSET = 64,
        REPORT_DATA_OFFSET = 128
    };
    int failure = trouble();
    if (failure != 0)
        return failure;
    memset(request + REPORT_OFFSET, 0, 1024);
    request[REPORT_OFFSET] = 0x81;
    memcpy(request + REPORT_OFFSET + REPORT_DATA_OFFSET, request, 64);
    request[REPORT_OFFSET + REPORT_DATA_OFFSET] ^= script->lies ? 1 : 0;
    return 0;
}

static int fake_ioctl(const char *path, unsigned command, void *argument UNUSED,
                      struct fuse_file_info *info UNUSED, unsigned flags UNUSED, void *data)
{
    if (strcmp(path, "/dev/nsm") == 0 && command == _IOWR(0x0a, 0, struct fake_part[2]))
        return nsm_ioctl(data);
    if (strcmp(path, "/dev/tdx_guest") == 0 && command == _IOWR('T', 1, uint8_t[64 + 1024]))
        return tdx_ioctl(data);
    return -ENOTTY;
}

static void *fake_init(struct fuse_conn_info *connection UNUSED, struct fuse_config *config)
{
    config->intr = 1;
    config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
    return NULL;
}

static const struct fuse_operations operations = {
    .init = fake_init,
    .getattr = fake_getattr,
    .readdir = fake_readdir,
    .mkdir = fake_mkdir,
    .chown = fake_chown,
    .truncate = fake_truncate,
    .open = fake_open,
    .read = fake_read,
    .write = fake_write,
    .flush = fake_flush,
    .release = fake_release,
    .ioctl = fake_ioctl,
};

/* --- start and stop --- */

static void wake(int number UNUSED)
{
}

static _Noreturn void serve(const char *folder)
{
    char program[] = "fake-kernel", foreground[] = "-f", option[] = "-oallow_other,max_threads=8";
    char mount_point[256];
    snprintf(mount_point, sizeof(mount_point), "%s", folder);
    char *arguments[] = { program, foreground, option, mount_point, NULL };
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    struct sigaction action = { .sa_handler = wake }; /* what libfuse interrupts a request with */
    sigaction(SIGUSR1, &action, NULL);
    td_quote = test_file("tests/data/attest/tdx_v4_phala_b0c06f.bin");
    sgx_quote = test_file("tests/data/attest/sgx_v3_phala_00a067.bin");
    snp_report = bytes_part(test_file("tests/data/attest/snp/reports/milan_v2_coco.bin"), 0,
                            SNP_REPORT_SIZE);
    _exit(fuse_main(4, arguments, &operations, NULL));
}

bool fake_kernel_start(struct fake_kernel *kernel, const char **reason)
{
    struct stat status;
    char probe[300];
    *kernel = (struct fake_kernel){ 0 };
    *reason = "FUSE can't be used here";
    if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) != 0)
        return false;
    snprintf(kernel->folder, sizeof(kernel->folder), "%s/kernel-XXXXXX", test_folder());
    if (mkdtemp(kernel->folder) == NULL)
        return false;
    kernel->script = mmap(NULL, sizeof(*kernel->script), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (kernel->script == MAP_FAILED)
        return false;
    script = kernel->script;
    kernel->process = fork();
    if (kernel->process == 0)
        serve(kernel->folder);
    snprintf(probe, sizeof(probe), "%s/dev", kernel->folder);
    for (int i = 0; i < 500; i++) {
        struct timespec pause = { .tv_nsec = 10000000 };
        if (stat(probe, &status) == 0)
            return true;
        if (waitpid(kernel->process, NULL, WNOHANG) == kernel->process)
            break;
        nanosleep(&pause, NULL);
    }
    fake_kernel_stop(kernel);
    return false;
}

void fake_kernel_stop(struct fake_kernel *kernel)
{
    if (kernel->process > 0) {
        kill(kernel->process, SIGTERM);
        waitpid(kernel->process, NULL, 0);
    }
    if (kernel->script != NULL && kernel->script != MAP_FAILED)
        munmap(kernel->script, sizeof(*kernel->script));
    kernel->process = 0;
    (void)umount2(kernel->folder, MNT_DETACH); /* what a server that crashed left */
    rmdir(kernel->folder);
}
