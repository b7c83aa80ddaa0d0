/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/demands.h"
#include "base/processor.h"

#include <string.h>

bool demands_check_processor(const struct config *config, struct error *error)
{
    static struct processor processor;
    char names[200];
    processor_read(&processor, PROCESSOR_FOLDER);
    if (config->wants_no_smt && (processor.uses_smt || !processor.knows_smt))
        return error_set(error, ERROR_UNAVAILABLE, "processor.smt = \"off\", but %s",
                         processor.knows_smt ? "sibling threads are in use"
                                             : "the kernel does not tell");
    processor_open_names(&processor, names, sizeof(names));
    if (config->wants_mitigations &&
        (processor.vulnerability_count == 0 || strcmp(names, "none") != 0))
        return error_set(error, ERROR_UNAVAILABLE,
                         "processor.mitigations = \"required\", but open: %s",
                         processor.vulnerability_count == 0 ? "not told by the kernel" : names);
    return true;
}
