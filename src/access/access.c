/* SPDX-License-Identifier: Apache-2.0 */
#include "access/access.h"
#include "base/nearest.h"

#include <string.h>

struct scope {
    const char *name;
    enum access_role least;
    bool for_tokens;
};
static const struct scope scopes[] = {
#define SCOPE_ROW(name, text, role, for_tokens) { text, ACCESS_ROLE_##role, for_tokens },
    ACCESS_SCOPES(SCOPE_ROW)
#undef SCOPE_ROW
};
static const char *const scope_names[] = {
#define SCOPE_NAME(name, text, role, for_tokens) text,
    ACCESS_SCOPES(SCOPE_NAME)
#undef SCOPE_NAME
        NULL
};
static const char *const role_names[] = { "reader", "deployer", "owner", NULL };
_Static_assert(ARRAY_COUNT(role_names) == ACCESS_ROLE_COUNT + 1, "a name each");
_Static_assert(ACCESS_SCOPE_COUNT <= 32, "a set is 32 bits");

const char *access_scope_name(enum access_scope scope)
{
    return scope_names[scope];
}

const char *access_role_name(enum access_role role)
{
    return role_names[role];
}

static bool name_find(unsigned *index, const char *const *names, const char *what,
                      struct bytes name, struct error *error)
{
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (bytes_equal_string(name, names[i])) {
            *index = i;
            return true;
        }
    }
    struct quoted shown = error_quote(name);
    char text[64] = "";
    memcpy(text, name.data, MIN(name.size, sizeof(text) - 1));
    const char *nearest = nearest_name(text, names);
    if (nearest != NULL)
        return error_set(error, ERROR_INVALID, "there is no %s %s; did you mean `%s`?", what,
                         shown.text, nearest);
    return error_set(error, ERROR_INVALID, "there is no %s %s", what, shown.text);
}

bool access_scope_of_name(enum access_scope *scope, struct bytes name, struct error *error)
{
    unsigned index = 0;
    if (!name_find(&index, scope_names, "scope", name, error))
        return false;
    *scope = (enum access_scope)index;
    return true;
}

bool access_role_of_name(enum access_role *role, struct bytes name, struct error *error)
{
    unsigned index = 0;
    if (!name_find(&index, role_names, "role", name, error))
        return false;
    *role = (enum access_role)index;
    return true;
}

uint32_t access_role_scopes(enum access_role role)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < ACCESS_SCOPE_COUNT; i++) {
        if (role >= scopes[i].least)
            set |= 1u << i;
    }
    return set;
}

uint32_t access_token_scopes(void)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < ACCESS_SCOPE_COUNT; i++) {
        if (scopes[i].for_tokens)
            set |= 1u << i;
    }
    return set;
}

bool access_has(const struct access_caller *caller, enum access_scope scope)
{
    return (caller->scopes >> scope & 1) != 0;
}

bool access_check(const struct access_caller *caller, enum access_scope scope,
                  struct bytes application, struct error *error)
{
    if (!access_has(caller, scope) && caller->how == ACCESS_BY_TOKEN)
        return error_set(error, ERROR_DENIED,
                         scopes[scope].for_tokens
                             ? "this token has no scope `%s`"
                             : "no token may do this: it takes a key with `%s`",
                         scopes[scope].name);
    if (!access_has(caller, scope))
        return error_set(error, ERROR_DENIED, "this needs the scope `%s`, which a %s has not",
                         scopes[scope].name, access_role_name(caller->role));
    if (caller->application[0] != '\0' && application.size > 0 &&
        !bytes_equal_string(application, caller->application))
        return error_set(error, ERROR_DENIED, "you may touch the application %s only",
                         caller->application);
    return true;
}
