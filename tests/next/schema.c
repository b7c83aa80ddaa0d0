/* SPDX-License-Identifier: Apache-2.0 */
/* The S3N after this one, as far as it concerns stores: in place of src/store/schema.c. */
#include "store/migrations.h"

static const struct migration steps[] = {
    { "ALTER TABLE blob ADD COLUMN used INTEGER NOT NULL DEFAULT 0", NULL }
};
const struct schema store_schema = { 2, steps };
