/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles and links where clang's WebAssembly target has its libraries. */
#include <cstdio>
#include <string>

extern "C" __attribute__((export_name("probe"))) int probe(const char *text)
{
    return std::snprintf(nullptr, 0, "%s", std::string(text).c_str());
}
