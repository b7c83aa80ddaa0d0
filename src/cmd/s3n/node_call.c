/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/node_call.h"
#include "functions/manifest.h"

#include <stdio.h>
#include <string.h>

bool node_path(char path[NODE_PATH_SIZE], const char *application, const char *number,
               const char *rest, struct error *error)
{
    if (!name_is_valid(application))
        return error_set(error, ERROR_USAGE, "%s is not an application's name",
                         error_quote(bytes_of_string(application)).text);
    if (number != NULL && (strlen(number) == 0 || strlen(number) > 15 ||
                           strspn(number, "0123456789") != strlen(number)))
        return error_set(error, ERROR_USAGE,
                         "%s is not a version's number (s3n versions lists them)",
                         error_quote(bytes_of_string(number)).text);
    snprintf(path, NODE_PATH_SIZE, "/v1/applications/%s%s%s%s", application,
             number == NULL ? "" : "/versions/", number == NULL ? "" : number, rest);
    return true;
}

bool node_session_call(struct session *session, enum http_method method, const char *path,
                       const json_t *body, json_t **answer, struct error *error)
{
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer got = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, JSON_SIZE_MAX);
    *answer = NULL;
    if (body != NULL && !json_canonical(&text, body, error))
        return false;
    struct session_request request = { .method = method,
                                       .target = path,
                                       .content_type = body == NULL ? NULL : "application/json",
                                       .body = buffer_view(&text),
                                       .is_signed = true };
    return session_call(session, &request, &got, error) &&
           (got.body.size == 0 || json_parse(answer, buffer_view(&got.body), error));
}

bool node_call(struct cli *cli, enum http_method method, const char *path, const json_t *body,
               json_t **answer, struct error *error)
{
    AUTO_SESSION struct session session;
    session_init(&session);
    if (session_open(&session, NULL, error) &&
        node_session_call(&session, method, path, body, answer, error))
        return true;
    cli_hint(cli, session.hint);
    return false;
}
