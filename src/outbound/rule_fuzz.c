/* SPDX-License-Identifier: Apache-2.0 */
/* Lines "rule\nURL\nreference": what is read is written and read again to the same, and a rule made
 * of a URL permits it. */
#include "fuzz/fuzz.h"
#include "outbound/rule.h"

#include <string.h>

static void check_url(const struct url *url)
{
    struct url again;
    struct rule rule;
    struct error error;
    char text[URL_TEXT_SIZE], line[RULE_TEXT_SIZE];
    url_write(text, url);
    if (strlen(text) > URL_SIZE_MAX)
        return; /* grew by its '/' or port */
    bool is_read = url_parse(&again, bytes_of_string(text), &error);
    ASSERT(is_read && url_same_origin(url, &again) && strcmp(url->target, again.target) == 0);
    rule_suggest(line, HTTP_METHOD_GET, url);
    bool is_permitted =
        rule_parse(&rule, bytes_of_string(line), &error) && rule_has(&rule, HTTP_METHOD_GET, url);
    ASSERT(is_permitted);
}

void fuzz_one(struct bytes input)
{
    struct rule rule;
    struct url url, next;
    struct error error;
    size_t end = bytes_find(input, '\n');
    struct bytes line = bytes_part(input, 0, end), rest = bytes_part(input, end + 1, SIZE_MAX);
    end = bytes_find(rest, '\n');
    bool has_rule = rule_parse(&rule, line, &error);
    if (!url_parse(&url, bytes_part(rest, 0, end), &error))
        return;
    check_url(&url);
    if (has_rule && rule_has(&rule, HTTP_METHOD_GET, &url) && !rule.is_wildcard)
        ASSERT(url_same_origin(&rule.url, &url));
    if (url_resolve(&next, &url, bytes_part(rest, end + 1, SIZE_MAX), &error))
        check_url(&next);
}
