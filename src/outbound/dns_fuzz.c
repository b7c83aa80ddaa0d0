/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"
#include "outbound/dns.h"

void fuzz_one(struct bytes input)
{
    static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        struct dns_question question = { 0x1234, types[i], "a.example" };
        struct dns_answer answer;
        if (dns_answer_read(&answer, &question, input) == DNS_ANSWERED)
            ASSERT(answer.count <= DNS_ADDRESS_COUNT_MAX);
    }
}
