/* SPDX-License-Identifier: Apache-2.0 */
/* s3n ls, s3n rm: your applications on the node. */
#include "base/options.h"
#include "cmd/s3n/session.h"
#include "cmd/s3n/verbs.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const struct option_table ls_options = {
    .program = "s3n ls",
    .usage = "",
    .about = "Lists your applications on the node you are logged in to, with their functions.",
};
const struct option_table rm_options = {
    .program = "s3n rm",
    .usage = "APPLICATION",
    .about = "Deletes an application with all its versions.",
    .positional_min = 1,
    .positional_max = 1,
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "?" : text;
}

static void print_application(const json_t *application)
{
    time_t deployed = (time_t)json_integer_value(json_object_get(application, "deployed_s"));
    char when[32] = "?";
    struct tm parts;
    if (gmtime_r(&deployed, &parts) != NULL)
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &parts);
    printf("%s  %s (deployment %lld, %s)\n", text_of(application, "application"),
           text_of(application, "version"),
           (long long)json_integer_value(json_object_get(application, "version_number")), when);
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(application, "functions"), index, row)
        printf("  %s/%s  code sha256:%.12s…  %lld bytes\n", text_of(application, "application"),
               text_of(row, "name"), text_of(row, "code_digest"),
               (long long)json_integer_value(json_object_get(row, "code_size")));
    json_array_foreach(json_object_get(application, "routes"), index, row)
        printf("  /a/%s%s -> %s\n", text_of(application, "application"), text_of(row, "route"),
               text_of(row, "function"));
}

int verb_ls(const struct globals *globals, char **argv)
{
    struct option_arguments arguments;
    struct error error = { 0 };
    int done;
    if (!verb_parse(&ls_options, globals, argv, NULL, &arguments, &done))
        return done;
    AUTO_SESSION struct session session;
    session_init(&session);
    struct session_request request = { .method = HTTP_METHOD_GET,
                                       .target = "/v1/applications",
                                       .is_signed = true };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    AUTO_JSON json_t *root = NULL;
    if (!session_open(&session, &error) || !session_call(&session, &request, &answer, &error) ||
        !json_parse(&root, buffer_view(&answer.body), &error))
        return verb_fail(&error, session.hint);
    if (globals->json) {
        print_json(root);
        return 0;
    }
    const json_t *list = json_object_get(root, "applications");
    size_t index;
    json_t *application;
    json_array_foreach(list, index, application) print_application(application);
    if (json_array_size(list) == 0 && !globals->quiet)
        fprintf(stderr, "no applications yet; `s3n deploy` makes one\n");
    return 0;
}

int verb_rm(const struct globals *globals, char **argv)
{
    struct option_arguments arguments;
    struct error error = { 0 };
    int done;
    if (!verb_parse(&rm_options, globals, argv, NULL, &arguments, &done))
        return done;
    const char *name = arguments.items[0];
    if (!name_is_valid(name)) {
        error_set(&error, ERROR_USAGE, "%s is not an application's name",
                  error_quote(bytes_of_string(name)).text);
        return verb_fail(&error, "");
    }
    char target[128];
    snprintf(target, sizeof(target), "/v1/applications/%s", name);
    AUTO_SESSION struct session session;
    session_init(&session);
    struct session_request request = { .method = HTTP_METHOD_DELETE,
                                       .target = target,
                                       .is_signed = true };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    if (!session_open(&session, &error) || !session_call(&session, &request, &answer, &error))
        return verb_fail(&error, session.hint);
    profile_forget(&session.profile, name);
    if (!profile_write(&session.profile, &error))
        return verb_fail(&error, "");
    if (globals->json) {
        AUTO_JSON json_t *root = json_pack("{s:s}", "deleted", name);
        print_json(root);
    } else if (!globals->quiet) {
        fprintf(stderr, "deleted %s\n", name);
    }
    return 0;
}
