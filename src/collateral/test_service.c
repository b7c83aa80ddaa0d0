/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral/test_service.h"

#include "crypto/pem.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static uint64_t realtime_ns(const struct clock *clock)
{
    const struct test_service *service = (const void *)clock;
    return (uint64_t)service->now_s * UINT64_C(1000000000);
}

static uint64_t monotonic_ns(const struct clock *clock)
{
    const struct test_service *service = (const void *)clock;
    return service->monotonic_ns;
}

static void pause_for(void *context, uint64_t pause_ms)
{
    struct test_service *service = context;
    service->paused_ms += pause_ms;
    service->monotonic_ns += pause_ms * 1000000;
    service->now_s += (int64_t)(pause_ms / 1000);
}

static void field_add(struct http_fetched *fetched, const char *name, struct bytes value,
                      bool is_encoded)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t start = fetched->memory.size;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        bool is_plain = !is_encoded || (byte >= '0' && byte <= '9') ||
                        (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        char text[3] = { '%', digits[byte >> 4], digits[byte & 15] };
        buffer_append(&fetched->memory, is_plain ? bytes_of(&byte, 1) : bytes_of(text, 3));
    }
    fetched->fields[fetched->field_count++] = (struct http_field){
        bytes_of_string(name),
        bytes_of(fetched->memory.data + start, fetched->memory.size - start),
    };
}

static bool fetch(void *context, struct http_fetched *fetched, const struct http_fetch *request,
                  struct error *error)
{
    struct test_service *service = context;
    service->ask_count++;
    snprintf(service->url, sizeof(service->url), "%s", request->url);
    const char *path = strchr(strstr(request->url, "://") + 3, '/');
    struct service_answer *answer = NULL;
    for (size_t i = 0; answer == NULL && path != NULL && i < service->answer_count; i++)
        if (strncmp(path, service->answers[i].url, strlen(service->answers[i].url)) == 0)
            answer = &service->answers[i];
    *fetched = (struct http_fetched){ .status = 404 };
    buffer_init(&fetched->body, request->body_size_max);
    buffer_init(&fetched->memory, FETCH_FIELD_SIZE_MAX);
    (void)buffer_reserve(&fetched->memory, FETCH_FIELD_SIZE_MAX);
    if (answer == NULL)
        return true;
    bool fails = ++answer->ask_count <= answer->failure_count;
    if (fails && answer->failure != ERROR_NONE) {
        http_fetched_done(fetched);
        service->monotonic_ns += 1000000000;
        return error_set(error, answer->failure, "connection failed");
    }
    fetched->status = fails || answer->failure_count == 0 ? answer->status : 200;
    fetched->retry_after_s = fetched->status == 200 ? 0 : answer->retry_after_s;
    buffer_append(&fetched->body, answer->body);
    if (answer->field != NULL)
        field_add(fetched, answer->field, answer->chain, true);
    if (answer->other_field != NULL)
        field_add(fetched, answer->other_field, bytes_of_string(answer->other_value), false);
    return true;
}

void service_init(struct test_service *service, int64_t now_s, const char *folder)
{
    *service = (struct test_service){ .clock = { realtime_ns, monotonic_ns }, .now_s = now_s };
    service->monotonic_ns = UINT64_C(1000000000);
    service->options = (struct collateral_options){
        .network = { .context = service,
                     .fetch = fetch,
                     .pause = pause_for,
                     .clock = &service->clock },
        .folder = folder,
    };
}

struct service_answer *service_add(struct test_service *service, const char *url, struct bytes body,
                                   const char *field, struct bytes chain)
{
    struct service_answer *answer = &service->answers[service->answer_count++];
    *answer = (struct service_answer){
        .url = url, .status = 200, .body = body, .field = field, .chain = chain
    };
    return answer;
}

static struct bytes intel_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "tests/data/attest/intel/%s", name);
    return test_file(path);
}

static struct bytes amd_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "tests/data/attest/snp/%s", name);
    return test_file(path);
}

void service_add_intel(struct test_service *service)
{
    struct bytes chain = intel_file("tcb_signing_chain_2025.pem");
    service_add(service, "/tdx/certification/v4/tcb?fmspc=b0c06f000000",
                intel_file("tcb_info_b0c06f_20250619.json"), "tcb-info-issuer-chain", chain);
    service_add(service, "/tdx/certification/v4/qe/identity",
                intel_file("td_qe_identity_b0c06f_20250619.json"),
                "sgx-enclave-identity-issuer-chain", chain);
    service_add(service, "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
                intel_file("pck_platform_crl_b0c06f_20250619.der"), "sgx-pck-crl-issuer-chain",
                chain);
    service_add(service, "/IntelSGXRootCA.der", intel_file("root_ca_crl_20250320.der"), NULL,
                (struct bytes){ 0 });
}

void service_add_amd(struct test_service *service)
{
    static char chain[16384];
    size_t size = 0;
    struct bytes none = { 0 };
    static const char *const names[] = { "certs/milan_ask.der", "certs/milan_ark.der" };
    AUTO_BUFFER struct buffer pem;
    buffer_init(&pem, sizeof(chain));
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        pem_append(&pem, "CERTIFICATE", amd_file(names[i]));
    memcpy(chain, pem.data, pem.size);
    size = pem.size;
    service_add(service, "/vcek/v1/Milan/cert_chain", bytes_of(chain, size), NULL, none);
    service_add(service, "/vcek/v1/Milan/crl", amd_file("crl/milan_crl.der"), NULL, none);
    service_add(service, "/vcek/v1/Milan/", amd_file("certs/vcek_coco_milan.der"), NULL, none);
}

struct bytes service_quote(void)
{
    return test_file("tests/data/attest/tdx_v4_phala_b0c06f.bin");
}

const char *service_folder(void)
{
    static char path[256];
    static unsigned number;
    snprintf(path, sizeof(path), "%s/cache-%u", test_folder(), number++);
    return path;
}

bool service_gather(struct collateral *collateral, const struct test_service *service,
                    struct bytes evidence, struct error *error)
{
    struct attest_collateral given = { 0 };
    collateral_done(collateral);
    collateral_init(collateral);
    return collateral_gather(collateral, evidence, &given, &service->options, error);
}

bool service_judge(struct attest_verdict *verdict, const struct collateral *collateral,
                   struct bytes evidence, int64_t now_s)
{
    struct error error;
    struct attest_options options = { .now_s = now_s };
    collateral_apply(collateral, &options.collateral);
    return attest_verify(verdict, evidence, &options, &error);
}
