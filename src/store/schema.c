/* SPDX-License-Identifier: Apache-2.0 */
/* The present form alone: tests link the one after it in its place (tests/next/schema.c). */
#include "store/migrations.h"

/* No steps yet: version 1 is the first that was released. */
const struct schema store_schema = { STORE_SCHEMA_VERSION, NULL };
