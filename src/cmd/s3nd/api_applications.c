/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/applications: deploy, list, show, delete. */
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"

#include <stdio.h>
#include <stdlib.h>

struct name_text {
    char text[NAME_SIZE_MAX + 1];
};

/* The gateway checked that it is a name. */
static struct name_text name_of(struct bytes name)
{
    struct name_text copy;
    snprintf(copy.text, sizeof(copy.text), "%.*s", (int)name.size, (const char *)name.data);
    return copy;
}

static json_t *function_tree(const struct application *application, size_t index)
{
    const struct manifest_function *function = &application->manifest->functions[index];
    const struct function_image *image = &application->images[index];
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "name", function->name, "tier",
                     (image->flags & FUNCTION_IMAGE_OPTIMISED) != 0 ? "optimised" : "baseline",
                     "code_digest", hex_of_digest(&function->code).text, "image_digest",
                     hex_of_digest(&image->image).text, "compile_ms",
                     (json_int_t)((image->compile_us + 999) / 1000), "compile_us",
                     (json_int_t)image->compile_us, "code_size", (json_int_t)image->code_size,
                     "image_size", (json_int_t)image->image_size);
}

static json_t *application_tree(const struct application *application)
{
    const struct manifest *manifest = application->manifest;
    json_t *functions = json_array(), *routes = json_array();
    for (size_t i = 0; i < manifest->function_count; i++)
        json_array_append_new(functions, function_tree(application, i));
    for (size_t i = 0; i < manifest->route_count; i++)
        json_array_append_new(routes, json_pack("{s:s, s:s}", "route", manifest->routes[i].route,
                                                "function", manifest->routes[i].function));
    return json_pack(
        "{s:s, s:s, s:I, s:s, s:I, s:s, s:o, s:o}", "application", manifest->application, "version",
        manifest->version, "version_number", (json_int_t)application->version_number,
        "manifest_digest", hex_of_digest(&application->manifest_digest).text, "deployed_s",
        (json_int_t)application->deployed_s, "owner", hex_of_digest(&application->owner).text,
        "functions", functions, "routes", routes);
}

struct putting {
    struct node *node;
    struct http_handle handle;
};

static const char *hint_of(const struct error *error)
{
    switch (error->code) {
    case ERROR_NOT_FOUND:
        return "upload it with PUT /v1/blobs/{sha256} first";
    case ERROR_NO_SPACE:
        return "the node's disk is full";
    case ERROR_UNSUPPORTED:
        return "`s3n inspect FILE.wasm` says what a module needs";
    default:
        return NULL;
    }
}

static void put_failed(struct node *node, struct http_handle handle, const struct error *error)
{
    if (error->code == ERROR_UNAVAILABLE)
        node_keeper_failed(node, error);
    LOG_LIMITED(LOG_LEVEL_WARN, "deployment refused", "reason", error->text, NULL);
    gateway_answer_error(node->gateway, handle, error, hint_of(error));
}

static void put_done(void *context, const struct deployment_result *result,
                     const struct error *error)
{
    struct putting *putting = context;
    struct node *node = putting->node;
    if (result == NULL) {
        put_failed(node, putting->handle, error);
    } else {
        const struct application *application = result->application;
        const char *name = application->manifest->application;
        node_metrics_deployed(node->metrics);
        log_line(LOG_LEVEL_INFO, "deployed", "application", name, "version",
                 application->manifest->version, "manifest",
                 hex_of_digest(&application->manifest_digest).text, NULL);
        node_publish_routes(node, name, application);
        invoker_application_changed(node->invoker, name, application);
        gateway_answer_json(node->gateway, putting->handle, result->replaced ? 200 : 201,
                            application_tree(application));
    }
    free(putting);
}

void api_application_put(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct putting *putting = malloc(sizeof(*putting));
    struct name_text name = name_of(call->application);
    if (putting == NULL) {
        error_set(&error, ERROR_NO_MEMORY, "no memory for a deployment");
        put_failed(node, call->handle, &error);
        return;
    }
    *putting = (struct putting){ node, call->handle };
    if (!deployment_start(node->deployer, name.text, call->request->body, &call->owner, put_done,
                          putting, &error)) {
        free(putting);
        put_failed(node, call->handle, &error);
    }
}

void api_application_list(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    json_t *list = json_array();
    for (size_t i = 0; i < registry_count(node->registry); i++) {
        const struct application *application = registry_at(node->registry, i);
        if (digest32_equal(&application->owner, &call->owner))
            json_array_append_new(list, application_tree(application));
    }
    gateway_answer_json(node->gateway, call->handle, 200, json_pack("{s:o}", "applications", list));
}

/* An application of another owner is unknown to this one. */
static const struct application *own_application(struct node *node, const struct gateway_call *call,
                                                 struct error *error)
{
    struct name_text name = name_of(call->application);
    const struct application *application = registry_find(node->registry, name.text);
    if (application != NULL && digest32_equal(&application->owner, &call->owner))
        return application;
    error_set(error, ERROR_NOT_FOUND, "you have no application %s here", name.text);
    return NULL;
}

void api_application_get(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    const struct application *application = own_application(node, call, &error);
    if (application == NULL)
        gateway_answer_error(node->gateway, call->handle, &error, "`s3n ls` lists yours");
    else
        gateway_answer_json(node->gateway, call->handle, 200, application_tree(application));
}

void api_application_delete(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    struct name_text name = name_of(call->application);
    if (own_application(node, call, &error) == NULL ||
        !registry_delete(node->registry, name.text, &call->owner, &error)) {
        if (error.code == ERROR_UNAVAILABLE)
            node_keeper_failed(node, &error);
        gateway_answer_error(node->gateway, call->handle, &error, "`s3n ls` lists yours");
        return;
    }
    log_line(LOG_LEVEL_INFO, "deleted", "application", name.text, NULL);
    node_publish_routes(node, name.text, NULL);
    invoker_application_changed(node->invoker, name.text, NULL);
    struct http_answer answer = { .status = 204 };
    gateway_answer(node->gateway, call->handle, &answer);
}
