/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an image: measured or refused. */
#include "fuzz/fuzz.h"
#include "measure/sgx.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct sgx_measurement measurement;
    (void)!sgx_measure(&measurement, input, &error);
}
