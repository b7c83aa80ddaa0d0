/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/tdx_guest, for kernels without configfs-tsm: the device gives a TDREPORT, which a quote
 * generation service of the host turns into a quote.  The service listens on vsock (CID 2, port
 * 4050), or on a Unix socket where a host passes one in.
 *
 * Message: length u32 big-endian; then little-endian u16 major 1, u16 minor, u32 type, u32 size
 * with header, u32 error.  Request (type 0): u32 report size, u32 id list size, report.  Response
 * (type 1): u32 id size, u32 quote size, id, quote. */
#include "platform/kernel_file.h"
#include "platform/platform.h"

#include "base/file.h"
#include "core/reader.h"
#include "core/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/vm_sockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    REPORT_SIZE = 1024,
    REPORT_DATA_OFFSET = 128,
    QGS_PORT = 4050,
    QGS_HEADER_SIZE = 16,
    QGS_GET_QUOTE_REQUEST = 0,
    QGS_GET_QUOTE_RESPONSE = 1,
    MESSAGE_SIZE_MAX = 64 << 10
};

/* struct tdx_report_req of the kernel's include/uapi/linux/tdx-guest.h. */
struct tdx_report_request {
    uint8_t report_data[64];
    uint8_t report[REPORT_SIZE];
};
#define TDX_CMD_GET_REPORT0 _IOWR('T', 1, struct tdx_report_request)

struct tdx_guest {
    int device;
    unsigned timeout_ms;
    struct sockaddr_un socket; /* sun_path empty: vsock */
};

static void tdx_guest_free(struct tdx_guest *guest)
{
    if (guest == NULL)
        return;
    file_close(&guest->device);
    free(guest);
}
DEFINE_AUTO(tdx_guest, tdx_guest_free)

static bool service_connect(const struct tdx_guest *guest, int *connection, struct error *error)
{
    bool is_unix = guest->socket.sun_path[0] != '\0';
    struct timeval timeout = { .tv_sec = guest->timeout_ms / 1000,
                               .tv_usec = (guest->timeout_ms % 1000) * 1000 };
    *connection = socket(is_unix ? AF_UNIX : AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*connection < 0)
        return error_system(error, "socket of the quote generation service");
    (void)setsockopt(*connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    (void)setsockopt(*connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    struct sockaddr_vm vsock = { .svm_family = AF_VSOCK,
                                 .svm_cid = VMADDR_CID_HOST,
                                 .svm_port = QGS_PORT };
    int connected = is_unix ? connect(*connection, (const struct sockaddr *)&guest->socket,
                                      sizeof(guest->socket))
                            : connect(*connection, (const struct sockaddr *)&vsock, sizeof(vsock));
    if (connected == 0)
        return true;
    error_system(error, "connect to the quote generation service");
    error->code = ERROR_UNAVAILABLE;
    return false;
}

static bool message_send(int connection, struct bytes report, struct error *error)
{
    uint8_t message[4 + QGS_HEADER_SIZE + 8 + REPORT_SIZE];
    struct writer writer = writer_into(message, sizeof(message));
    write_u32_be(&writer, sizeof(message) - 4);
    write_u16_le(&writer, 1);
    write_u16_le(&writer, 0);
    write_u32_le(&writer, QGS_GET_QUOTE_REQUEST);
    write_u32_le(&writer, sizeof(message) - 4);
    write_u32_le(&writer, 0);
    write_u32_le(&writer, REPORT_SIZE);
    write_u32_le(&writer, 0);
    write_bytes(&writer, report);
    return file_write_all(connection, writer_view(&writer), error);
}

static bool message_take(int connection, uint8_t *target, size_t size,
                         const struct deadline *deadline, struct error *error)
{
    while (size > 0) {
        ssize_t taken = recv(connection, target, size, 0);
        if (taken == 0)
            return error_set(error, ERROR_INVALID, "quote generation service: answer is cut");
        if (taken < 0 && ((errno != EINTR && errno != EAGAIN) || deadline_is_over(deadline)))
            return errno == EINTR || errno == EAGAIN
                       ? error_set(error, ERROR_TIMEOUT,
                                   "quote generation service gave no answer in time")
                       : error_system(error, "quote generation service");
        if (taken > 0) {
            target += taken;
            size -= (size_t)taken;
        }
    }
    return true;
}

static bool quote_take(struct bytes message, struct buffer *evidence, struct error *error)
{
    struct reader reader = reader_of(message);
    uint16_t major = read_u16_le(&reader);
    read_skip(&reader, 2);
    uint32_t type = read_u32_le(&reader);
    uint32_t size = read_u32_le(&reader);
    uint32_t failure = read_u32_le(&reader);
    if (reader.failed || major != 1 || type != QGS_GET_QUOTE_RESPONSE || size != message.size)
        return error_set(error, ERROR_INVALID, "quote generation service: answer of another form");
    if (failure != 0)
        return error_set(error, ERROR_UNAVAILABLE, "quote generation service: error 0x%x", failure);
    uint32_t id_size = read_u32_le(&reader);
    uint32_t quote_size = read_u32_le(&reader);
    read_skip(&reader, id_size);
    struct bytes quote = read_bytes(&reader, quote_size);
    if (!read_end(&reader) || quote.size == 0)
        return error_set(error, ERROR_INVALID, "quote generation service: quote is cut");
    buffer_append(evidence, quote);
    return !evidence->failed || error_set(error, ERROR_LIMIT, "evidence is too long");
}

static bool quote_ask(const struct tdx_guest *guest, struct bytes report,
                      const struct deadline *deadline, struct buffer *evidence, struct error *error)
{
    AUTO_CLOSE int connection = -1;
    uint8_t length[4];
    if (!service_connect(guest, &connection, error) || !message_send(connection, report, error) ||
        !message_take(connection, length, sizeof(length), deadline, error))
        return false;
    struct reader reader = reader_of(BYTES_OF(length));
    uint32_t size = read_u32_be(&reader);
    if (size < QGS_HEADER_SIZE || size > MESSAGE_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "quote generation service: answer of %u bytes",
                         size);
    AUTO_FREE uint8_t *message = malloc(size);
    if (message == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a quote");
    return message_take(connection, message, size, deadline, error) &&
           quote_take(bytes_of(message, size), evidence, error);
}

static bool tdx_guest_evidence(void *context, const struct digest64 *report_data,
                               struct buffer *evidence, struct error *error)
{
    const struct tdx_guest *guest = context;
    struct tdx_report_request request = { 0 };
    struct deadline deadline;
    memcpy(request.report_data, report_data->bytes, sizeof(request.report_data));
    deadline_begin(&deadline, guest->timeout_ms);
    bool done = kernel_ioctl(guest->device, TDX_CMD_GET_REPORT0, &request, &deadline, error);
    if (!done)
        (void)!error_within(error, "/dev/tdx_guest");
    else if (memcmp(request.report + REPORT_DATA_OFFSET, report_data->bytes,
                    sizeof(report_data->bytes)) != 0)
        done = error_set(error, ERROR_INVALID, "/dev/tdx_guest: report about something else");
    else
        done = quote_ask(guest, BYTES_OF(request.report), &deadline, evidence, error);
    deadline_end();
    return done;
}

static void tdx_guest_close(void *context)
{
    tdx_guest_free(context);
}

bool platform_open_tdx_guest(struct platform *platform, const struct platform_options *options,
                             struct error *error)
{
    static const char path[] = "/run/tdx-qgs/qgs.socket";
    AUTO(tdx_guest) struct tdx_guest *guest = calloc(1, sizeof(*guest));
    if (guest == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a platform");
    *guest = (struct tdx_guest){ .device = -1,
                                 .timeout_ms = options->timeout_ms,
                                 .socket = { .sun_family = AF_UNIX } };
    if (!kernel_open(&guest->device, options->system_root, "/dev/tdx_guest", O_RDWR, error))
        return false;
    int size = snprintf(guest->socket.sun_path, sizeof(guest->socket.sun_path), "%s%s",
                        options->system_root == NULL ? "" : options->system_root, path);
    if (size >= (int)sizeof(guest->socket.sun_path) || access(guest->socket.sun_path, F_OK) != 0)
        guest->socket.sun_path[0] = '\0';
    *platform = (struct platform){ .name = "tdx",
                                   .interface = "/dev/tdx_guest",
                                   .evidence = tdx_guest_evidence,
                                   .close = tdx_guest_close };
    platform->context = TAKE(guest);
    return true;
}
