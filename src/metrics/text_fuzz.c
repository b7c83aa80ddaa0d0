/* SPDX-License-Identifier: Apache-2.0 */
/* An Accept field, and a label's value in both formats. */
#include "fuzz/fuzz.h"
#include "metrics/metrics.h"

#include <string.h>

void fuzz_one(struct bytes input)
{
    static const char *const labels[] = { "function", NULL };
    static const struct metrics_about about = { "s3n_x_total", "Help.", labels };
    char value[300];
    struct error error;
    struct bytes text = bytes_part(input, 0, sizeof(value) - 1);
    (void)metrics_prefers_open(input);
    if (text.size > 0)
        memcpy(value, text.data, text.size);
    value[text.size] = '\0';
    AUTO(metrics) struct metrics *metrics = metrics_new();
    ASSERT(metrics != NULL);
    metrics_add(METRICS_SERIES(metrics_counter(metrics, &about), value), 1);
    for (int is_open = 0; is_open < 2; is_open++) {
        AUTO_BUFFER struct buffer page;
        buffer_init(&page, METRICS_TEXT_SIZE_MAX);
        const struct metrics_view view = { .is_openmetrics = is_open != 0 };
        ASSERT(metrics_write(&page, metrics, &view, &error));
        ASSERT(bytes_is_utf8(buffer_view(&page)));
        size_t lines = 0;
        for (size_t i = 0; i < page.size; i++)
            lines += page.data[i] == '\n';
        ASSERT(lines == (is_open != 0 ? 4 : 3));
    }
}
