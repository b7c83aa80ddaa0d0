/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an image: measured or refused. */
#include "fuzz/fuzz.h"
#include "measure/eif.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct eif_measurement measurement;
    (void)!eif_measure(&measurement, input, &error);
}
