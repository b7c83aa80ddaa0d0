/* SPDX-License-Identifier: Apache-2.0 */
/* The tiers of a build without LLVM. */
#include "tests/spec/world.h"

const struct tier tiers[] = { { "baseline", wasm_compile, NULL } };
const size_t tier_count = ARRAY_COUNT(tiers);
