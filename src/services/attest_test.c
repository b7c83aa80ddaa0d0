/* SPDX-License-Identifier: Apache-2.0 */
#include "services/attest.h"
#include "tests/harness.h"

#include <string.h>

static struct bytes answers;
static uint8_t kept[4096];
static bool fails;

static void on_listed(void *context UNUSED, struct bytes list)
{
    REQUIRE(list.size <= sizeof(kept));
    memcpy(kept, list.data, list.size);
    answers = bytes_of(kept, list.size);
}

static bool write_nonce(void *context UNUSED, const uint8_t nonce[ATTEST_NONCE_SIZE],
                        struct buffer *text, struct error *error)
{
    if (fails)
        return error_set(error, ERROR_UNAVAILABLE, "the keeper is busy");
    buffer_append_string(text, "for ");
    buffer_append(text, bytes_of(nonce, ATTEST_NONCE_SIZE));
    return true;
}

static struct call_answer ask(struct service_scope *scope, struct bytes nonce)
{
    uint8_t list[256];
    struct writer writer = writer_into(list, sizeof(list));
    const struct call_request request = { .call = CALL_ATTEST,
                                          .string_count = 1,
                                          .strings = { nonce } };
    struct call_answer answer = { .value = INT64_MIN };
    call_requests_write_begin(&writer);
    call_request_write(&writer, &request);
    call_list_write_end(&writer, 1);
    CHECK(services_run(scope, writer_view(&writer), on_listed, NULL));
    struct reader reader = call_answers_begin(answers);
    CHECK(call_answer_next(&reader, &answer));
    return answer;
}

static void evidence_is_for_the_nonce_and_not_for_ever(void)
{
    static const uint8_t nonce[ATTEST_NONCE_SIZE] = "a nonce of thirty-two bytes, it";
    const struct attest_source source = { NULL, write_nonce };
    struct permissions permissions = permissions_default();
    struct error error;
    AUTO(services) struct services *services = NULL;
    struct service_scope *scope = NULL;
    permissions.is_granted[CALL_PERMISSION_ATTEST] = true;
    const struct service_facts facts = {
        .application = "a", .function = "f", .version = "1", .permissions = &permissions
    };
    REQUIRE(services_new(&services, &error) &&
            services_add(services, &service_attest, (void *)(uintptr_t)&source, &error) &&
            services_begin(services, &facts, &scope, &error));
    struct call_answer answer = ask(scope, BYTES_OF(nonce));
    CHECK_NUMBER(answer.value, 4 + ATTEST_NONCE_SIZE);
    CHECK(memcmp(answer.data.data + 4, nonce, sizeof(nonce)) == 0);
    CHECK_NUMBER(ask(scope, bytes_of(nonce, 31)).value, CALL_ERROR_INVALID);
    CHECK_NUMBER(ask(scope, BYTES_LITERAL("")).value, CALL_ERROR_INVALID);
    fails = true;
    answer = ask(scope, BYTES_OF(nonce));
    CHECK_NUMBER(answer.value, CALL_ERROR_UNAVAILABLE);
    CHECK_BYTES(answer.data, BYTES_LITERAL("the keeper is busy"));
    fails = false;
    CHECK(ask(scope, BYTES_OF(nonce)).value > 0 && ask(scope, BYTES_OF(nonce)).value > 0);
    CHECK_NUMBER(ask(scope, BYTES_OF(nonce)).value, CALL_ERROR_LIMIT);
    services_forget(scope);
}

static const struct test tests[] = { TEST(evidence_is_for_the_nonce_and_not_for_ever) };
TEST_MAIN(tests)
