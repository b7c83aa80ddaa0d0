/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/wabt.h"

#include <cstdio>

#include <wabt/binary-reader.h>
#include <wabt/error.h>
#include <wabt/interp/binary-reader-interp.h>
#include <wabt/interp/interp.h>

bool wabt_accepts(const uint8_t *data, size_t size, bool strict, char *reason, size_t reason_size)
{
    wabt::Features features;
    features.enable_tail_call();
    features.enable_extended_const();
    wabt::ReadBinaryOptions options(features, nullptr, false, true, strict);
    wabt::Errors errors;
    wabt::interp::ModuleDesc module;
    if (wabt::Succeeded(
            wabt::interp::ReadBinaryInterp("module", data, size, options, &errors, &module)))
        return true;
    std::snprintf(reason, reason_size, "%s", errors.empty() ? "?" : errors[0].message.c_str());
    return false;
}
