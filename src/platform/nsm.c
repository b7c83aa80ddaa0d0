/* SPDX-License-Identifier: Apache-2.0 */
/* The Nitro secure module (/dev/nsm): CBOR requests through one ioctl.  Report data travel as user
 * data; run-time events extend PCR16, which is the application's.  It is never locked, since events
 * go on; documents show locked registers only. */
#include "platform/kernel_file.h"
#include "platform/platform.h"

#include "base/file.h"
#include "core/cbor.h"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    REQUEST_SIZE_MAX = 0x1000,
    RESPONSE_SIZE_MAX = 0x3000,
    EVENT_PCR = 16,
    ERROR_NAME_MAX = 32
};

/* struct nsm_raw of the kernel's include/uapi/linux/nsm.h. */
struct nsm_part {
    uint64_t address;
    uint64_t length;
};
struct nsm_raw {
    struct nsm_part request;
    struct nsm_part response;
};
#define NSM_IOCTL_RAW _IOWR(0x0a, 0x0, struct nsm_raw)

struct nsm {
    int device;
    unsigned timeout_ms;
};

static void nsm_free(struct nsm *nsm)
{
    if (nsm == NULL)
        return;
    file_close(&nsm->device);
    free(nsm);
}
DEFINE_AUTO(nsm, nsm_free)

/* Sends a request; the response lies in `response`. */
static bool exchange(const struct nsm *nsm, struct bytes request,
                     uint8_t response[RESPONSE_SIZE_MAX], struct reader *reader,
                     struct error *error)
{
    struct nsm_raw raw = { { (uintptr_t)request.data, request.size },
                           { (uintptr_t)response, RESPONSE_SIZE_MAX } };
    struct deadline deadline;
    deadline_begin(&deadline, nsm->timeout_ms);
    bool done = kernel_ioctl(nsm->device, NSM_IOCTL_RAW, &raw, &deadline, error);
    deadline_end();
    if (!done)
        return error_within(error, "/dev/nsm");
    if (raw.response.length > RESPONSE_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "/dev/nsm: a response that is longer than its room");
    *reader = cbor_reader_of(bytes_of(response, (size_t)raw.response.length), CBOR_AS_EMITTED);
    return !reader->failed || error_set(error, ERROR_INVALID, "/dev/nsm: response is not CBOR");
}

/* The value under `name` in a response {name: value}; an {"Error": name} becomes the error. */
static bool answer_enter(struct reader *reader, const char *name, struct error *error)
{
    if (cbor_peek(reader) == CBOR_MAP && cbor_read_map(reader, 1) == 1) {
        struct bytes key = cbor_read_text(reader);
        if (!reader->failed && bytes_equal_string(key, name))
            return true;
        if (!reader->failed && bytes_equal_string(key, "Error")) {
            struct bytes reason = cbor_read_text(reader);
            return error_set(error, ERROR_UNAVAILABLE, "/dev/nsm refused: %s",
                             error_quote(bytes_part(reason, 0, ERROR_NAME_MAX)).text);
        }
    }
    return error_set(error, ERROR_INVALID, "/dev/nsm: response of another kind");
}

static bool nsm_evidence(void *context, const struct digest64 *report_data, struct buffer *evidence,
                         struct error *error)
{
    uint8_t request[REQUEST_SIZE_MAX], response[RESPONSE_SIZE_MAX];
    struct writer writer = writer_into(request, sizeof(request));
    struct reader reader;
    cbor_write_map(&writer, 1);
    cbor_write_text(&writer, BYTES_LITERAL("Attestation"));
    cbor_write_map(&writer, 3);
    cbor_write_text(&writer, BYTES_LITERAL("user_data"));
    cbor_write_bytes(&writer, BYTES_OF(report_data->bytes));
    cbor_write_text(&writer, BYTES_LITERAL("nonce"));
    cbor_write_null(&writer);
    cbor_write_text(&writer, BYTES_LITERAL("public_key"));
    cbor_write_null(&writer);
    if (!exchange(context, writer_view(&writer), response, &reader, error) ||
        !answer_enter(&reader, "Attestation", error))
        return false;
    struct bytes document = { 0 };
    if (cbor_read_map(&reader, 1) == 1 && bytes_equal_string(cbor_read_text(&reader), "document"))
        document = cbor_read_bytes(&reader);
    if (reader.failed || document.size == 0)
        return error_set(error, ERROR_INVALID, "/dev/nsm: response holds no document");
    buffer_append(evidence, document);
    return !evidence->failed || error_set(error, ERROR_LIMIT, "evidence is too long");
}

static bool nsm_extend(void *context, const struct digest48 *digest, struct error *error)
{
    uint8_t request[256], response[RESPONSE_SIZE_MAX];
    struct writer writer = writer_into(request, sizeof(request));
    struct reader reader;
    cbor_write_map(&writer, 1);
    cbor_write_text(&writer, BYTES_LITERAL("ExtendPCR"));
    cbor_write_map(&writer, 2);
    cbor_write_text(&writer, BYTES_LITERAL("index"));
    cbor_write_unsigned(&writer, EVENT_PCR);
    cbor_write_text(&writer, BYTES_LITERAL("data"));
    cbor_write_bytes(&writer, BYTES_OF(digest->bytes));
    return exchange(context, writer_view(&writer), response, &reader, error) &&
           answer_enter(&reader, "ExtendPCR", error);
}

static bool nsm_read_register(void *context, struct digest48 *value, struct error *error)
{
    uint8_t request[256], response[RESPONSE_SIZE_MAX];
    struct writer writer = writer_into(request, sizeof(request));
    struct reader reader;
    struct bytes data = { 0 };
    cbor_write_map(&writer, 1);
    cbor_write_text(&writer, BYTES_LITERAL("DescribePCR"));
    cbor_write_map(&writer, 1);
    cbor_write_text(&writer, BYTES_LITERAL("index"));
    cbor_write_unsigned(&writer, EVENT_PCR);
    if (!exchange(context, writer_view(&writer), response, &reader, error) ||
        !answer_enter(&reader, "DescribePCR", error))
        return false;
    size_t count = cbor_read_map(&reader, 2);
    for (size_t i = 0; i < count && !reader.failed; i++) {
        if (bytes_equal_string(cbor_read_text(&reader), "data"))
            data = cbor_read_bytes(&reader);
        else
            (void)cbor_read_boolean(&reader); /* lock */
    }
    if (reader.failed || data.size != sizeof(value->bytes))
        return error_set(error, ERROR_INVALID, "/dev/nsm: response describes no PCR");
    memcpy(value->bytes, data.data, data.size);
    return true;
}

static void nsm_close(void *context)
{
    nsm_free(context);
}

bool platform_open_nsm(struct platform *platform, const struct platform_options *options,
                       struct error *error)
{
    AUTO(nsm) struct nsm *nsm = calloc(1, sizeof(*nsm));
    if (nsm == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a platform");
    *nsm = (struct nsm){ .device = -1, .timeout_ms = options->timeout_ms };
    if (!kernel_open(&nsm->device, options->system_root, "/dev/nsm", O_RDWR, error))
        return false;
    *platform = (struct platform){ .name = "nitro",
                                   .interface = "/dev/nsm",
                                   .evidence = nsm_evidence,
                                   .event_register = "pcr16",
                                   .extend = nsm_extend,
                                   .read_register = nsm_read_register,
                                   .close = nsm_close };
    platform->context = TAKE(nsm);
    return true;
}
