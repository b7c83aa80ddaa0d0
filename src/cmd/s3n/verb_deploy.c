/* SPDX-License-Identifier: Apache-2.0 */
/* s3n deploy [DIR]: builds, uploads what the node does not have, and deploys. */
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/deploy_warnings.h"
#include "cmd/s3n/session.h"
#include "cmd/s3n/tables.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "files/compress.h"
#include "files/gather.h"
#include "functions/manifest.h"
#include "keys/release.h"
#include "wasm/wasm.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct deploy {
    bool no_build;
    const char *policy;
    uint64_t weight;
};

static const struct option_row rows[] = {
    { .name = "no-build",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct deploy, no_build),
      .help = "deploy what is there, without running build.command" },
    { .name = "policy",
      .kind = OPTION_STRING,
      .offset = offsetof(struct deploy, policy),
      .value = "FILE",
      .help = "judge the node by this policy before anything is sent (the login's)" },
    { .name = "weight",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct deploy, weight),
      .value = "PERCENT",
      .help = "of the requests that the new version answers (100; less: a canary; 0: none yet)",
      .min = 0,
      .max = 100 },
};
static const struct option_table table = {
    .program = "s3n deploy",
    .usage = "[DIR]",
    .about = "Builds and deploys the application that DIR/s3n.toml describes (default: here).",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    CLI_SHARED,
    .positional_max = 1,
};

struct deploying {
    struct cli *cli;
    const char *folder;
    struct session session;
    struct manifest *manifest;
};

/* --- building --- */

static bool build(const struct deploying *deploying, const struct manifest_function *function,
                  struct error *error)
{
    cli_message(deploying->cli, "build     %s: %s", function->name, function->build_command);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return error_system(error, "start the build");
    if (pid == 0) {
        /* What the build prints is for people: stdout is for our own result. */
        if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0 || chdir(deploying->folder) != 0)
            _exit(126);
        execl("/bin/sh", "sh", "-c", function->build_command, (char *)NULL);
        _exit(127);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid)
        return error_system(error, "wait for the build");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    return error_set(error, ERROR_INVALID, "function %s: build.command failed (%s %d)",
                     function->name, WIFEXITED(status) ? "exit code" : "signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static bool manifest_load(struct deploying *deploying, struct error *error)
{
    char path[PATH_MAX];
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, MANIFEST_SIZE_MAX);
    if (snprintf(path, sizeof(path), "%s/s3n.toml", deploying->folder) >= (int)sizeof(path))
        return error_set(error, ERROR_USAGE, "the folder's path is too long");
    if (!file_read(&text, path, error)) {
        if (error->code == ERROR_NOT_FOUND)
            error_set(
                error, ERROR_INVALID,
                "there is no %s, the manifest: docs/deploying.md shows one, examples/ has some",
                error_quote(bytes_of_string(path)).text);
        return false;
    }
    return manifest_parse_toml(&deploying->manifest, path, buffer_view(&text), error);
}

/* --- uploading --- */

static bool module_path(const struct deploying *deploying, const char *source, char path[PATH_MAX],
                        struct error *error)
{
    int size = source[0] == '/' ? snprintf(path, PATH_MAX, "%s", source)
                                : snprintf(path, PATH_MAX, "%s/%s", deploying->folder, source);
    return size < PATH_MAX || error_set(error, ERROR_INVALID, "%s: too long a path", source);
}

struct upload {
    const struct deploying *deploying;
    const char *name;
    size_t size;
    time_t shown;
};

static bool show_progress(void *context, uint64_t sent, uint64_t received)
{
    struct upload *upload = context;
    (void)received;
    time_t now = time(NULL);
    if (upload->size > 0 && now != upload->shown) {
        upload->shown = now;
        cli_step(upload->deploying->cli, "upload    %s: %llu of %zu KiB", upload->name,
                 (unsigned long long)sent >> 10, upload->size >> 10);
    }
    return true;
}

/* Why not: an answer to HEAD has no room for it. */
static bool refusal_ask(struct session *session, struct error *error)
{
    struct session_request ask = { .method = HTTP_METHOD_GET,
                                   .target = "/v1/caller",
                                   .is_signed = true };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    AUTO_JSON json_t *caller = NULL;
    const char *role;
    if (!session_call(session, &ask, &answer, error) ||
        !json_parse(&caller, buffer_view(&answer.body), error) ||
        !json_get_string(caller, "role", &role, error))
        return false;
    return error_set(error, ERROR_DENIED, "this needs the scope `deploy`, which %s has not",
                     session->api_key != NULL ? "this token" : role);
}

static bool blob_upload(struct deploying *deploying, const char *name,
                        const struct digest32 *digest, struct bytes content, struct error *error)
{
    char target[128];
    snprintf(target, sizeof(target), "/v1/blobs/%s", hex_of_digest(digest).text);
    struct session_request check = { .method = HTTP_METHOD_HEAD,
                                     .target = target,
                                     .is_signed = true };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer known = { 0 };
    if (!session_request(&deploying->session, &check, &known, error))
        return false;
    if (known.status == 200) {
        cli_message(deploying->cli, "upload    %s: the node has it", name);
        return true;
    }
    if (known.status == 401 || known.status == 403)
        return refusal_ask(&deploying->session, error);
    struct upload upload = { deploying, name, content.size, 0 };
    struct session_request put = { .method = HTTP_METHOD_PUT,
                                   .target = target,
                                   .content_type = "application/octet-stream",
                                   .body = content,
                                   .is_signed = true,
                                   .progress = show_progress,
                                   .progress_context = &upload };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    if (!session_call(&deploying->session, &put, &answer, error))
        return error_within(error, "upload %s", name);
    cli_message(deploying->cli, "upload    %s: %zu KiB", name, (content.size + 1023) >> 10);
    return true;
}

/* The manifest as the node gets it says everything.  What is no module at all is left for the node
 * to refuse, with the compiler's words. */
static bool abi_choose(struct manifest_function *function, struct bytes module, struct error *error)
{
    static const enum function_abi abis[IMAGE_ABI_COUNT] = {
        [IMAGE_ABI_COMMAND] = FUNCTION_ABI_COMMAND,
        [IMAGE_ABI_CGI] = FUNCTION_ABI_CGI,
        [IMAGE_ABI_REACTOR] = FUNCTION_ABI_REACTOR,
    };
    enum image_abi abi;
    bool is_module = true;
    if (function->kind == FUNCTION_NATIVE) {
        function->abi = FUNCTION_ABI_REACTOR;
        return true;
    }
    if (!wasm_choose_abi(&abi, module, &is_module, error))
        return !is_module || error_within(error, "function %s", function->name);
    function->abi = abis[abi];
    return true;
}

/* What routes answer with goes along compressed. */
static bool static_compress(const struct deploying *deploying,
                            const struct manifest_function *function, struct buffer *archive,
                            struct error *error)
{
    const struct manifest *manifest = deploying->manifest;
    const struct manifest_middleware_assets *assets = &manifest->middleware.assets;
    const char *folders[MANIFEST_ROUTE_COUNT_MAX];
    size_t count = 0;
    for (size_t i = 0; i < manifest->route_count; i++) {
        const struct manifest_route *route = &manifest->routes[i];
        if (route->folder != NULL && &manifest->functions[route->function_index] == function)
            folders[count++] = route->folder;
    }
    if (count == 0 || (assets->is_given && !assets->compresses))
        return true;
    struct buffer longer;
    buffer_init(&longer, FILES_SIZE_MAX);
    if (!compress_archive(&longer, buffer_view(archive), folders, count, error)) {
        buffer_done(&longer);
        return false;
    }
    buffer_done(archive);
    *archive = longer;
    return true;
}

/* Gathers and uploads what the function's patterns match. */
static bool files_prepare(struct deploying *deploying, struct manifest_function *function,
                          struct error *error)
{
    AUTO(tree) struct tree *tree = NULL;
    AUTO_BUFFER struct buffer archive;
    char name[NAME_SIZE_MAX + 32];
    buffer_init(&archive, FILES_SIZE_MAX);
    if (function->files_count == 0)
        return true;
    if (!tree_new(&tree, error) ||
        !gather_patterns(tree, deploying->folder, function->files, function->files_count, error) ||
        !tree_write(&archive, tree, error) ||
        !static_compress(deploying, function, &archive, error))
        return error_within(error, "function %s: files", function->name);
    function->archive = sha256_of(buffer_view(&archive));
    function->has_archive = true;
    snprintf(name, sizeof(name), "%s, %zu files", function->name, tree_file_count(tree));
    return blob_upload(deploying, name, &function->archive, buffer_view(&archive), error);
}

static bool function_prepare(struct deploying *deploying, struct manifest_function *function,
                             struct error *error)
{
    char path[PATH_MAX];
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, MODULE_SIZE_MAX);
    if (!module_path(deploying, function->source, path, error))
        return false;
    if (!file_read(&content, path, error)) {
        if (error->code == ERROR_NOT_FOUND)
            error_set(error, ERROR_INVALID, "there is no %s%s", path,
                      function->build_command == NULL ? " and no build.command makes it" : "");
        return error_within(error, "function %s", function->name);
    }
    if (!function->has_abi && !abi_choose(function, buffer_view(&content), error))
        return false;
    deploy_warn(deploying->manifest, function, buffer_view(&content));
    function->code = sha256_of(buffer_view(&content));
    function->has_code = true;
    return blob_upload(deploying, function->name, &function->code, buffer_view(&content), error) &&
           files_prepare(deploying, function, error);
}

/* --- deploying --- */

/* The owner's word that this version is theirs: a NUL-terminated signature under its digest. */
static bool release_make(const struct deploying *deploying, struct bytes canonical,
                         char text[RELEASE_TEXT_SIZE_MAX + 1], struct error *error)
{
    AUTO_BUFFER struct buffer signature;
    struct digest32 version, digest = sha256_of(canonical);
    const struct manifest_release *release = &deploying->manifest->release;
    const struct ecdsa_public *own = ecdsa_key_public(deploying->session.key);
    /* who deploys by token may be nobody whose signature counts */
    bool may_sign = release->signer_count == 0 && deploying->session.api_key == NULL;
    for (size_t i = 0; i < release->signer_count; i++)
        may_sign |= ecdsa_public_equal(&release->signers[i], own);
    text[0] = '\0';
    buffer_init(&signature, RELEASE_TEXT_SIZE_MAX);
    if (!may_sign)
        return true;
    if (!manifest_version_digest(&version, deploying->manifest, &digest, error) ||
        !release_sign(&signature, &version, deploying->session.key, error))
        return false;
    memcpy(text, signature.data, signature.size);
    text[signature.size] = '\0';
    return true;
}

static bool manifest_put(struct deploying *deploying, uint64_t weight,
                         struct http_client_answer *answer, struct error *error)
{
    char target[128], release[RELEASE_TEXT_SIZE_MAX + 1];
    const struct manifest *manifest = deploying->manifest;
    AUTO_BUFFER struct buffer canonical;
    buffer_init(&canonical, MANIFEST_SIZE_MAX);
    snprintf(target, sizeof(target), "/v1/applications/%s?weight=%u", manifest->application,
             (unsigned)weight);
    if (!manifest_canonical(&canonical, manifest, error) ||
        !release_make(deploying, buffer_view(&canonical), release, error))
        return false;
    struct session_request put = { .method = HTTP_METHOD_PUT,
                                   .target = target,
                                   .content_type = "application/json",
                                   .body = buffer_view(&canonical),
                                   .release = release[0] == '\0' ? NULL : release,
                                   .is_signed = true };
    cli_step(deploying->cli, "compile   %s", manifest->application);
    return session_call(&deploying->session, &put, answer, error);
}

static bool code_remember(struct deploying *deploying, struct error *error)
{
    const struct manifest *manifest = deploying->manifest;
    struct profile *profile = &deploying->session.profile;
    profile_forget(profile, manifest->application);
    for (size_t i = 0; i < manifest->function_count; i++) {
        char name[2 * NAME_SIZE_MAX + 2];
        snprintf(name, sizeof(name), "%s/%s", manifest->application, manifest->functions[i].name);
        profile_set_code(profile, name, &manifest->functions[i].code);
    }
    return profile_write(profile, error);
}

static bool show_result(const struct deploying *deploying, const json_t *root, struct error *error)
{
    size_t index;
    json_t *function;
    const char *application = deploying->manifest->application;
    if (deploying->cli->json)
        return cli_write_json(root, error);
    json_array_foreach(json_object_get(root, "functions"), index, function)
    {
        const char *name = json_string_value(json_object_get(function, "name"));
        const char *code = json_string_value(json_object_get(function, "code_digest"));
        cli_message(deploying->cli, "deployed  %s/%s  code sha256:%.12s…  compiled in %.1f ms",
                    application, name == NULL ? "?" : name, code == NULL ? "?" : code,
                    json_number_value(json_object_get(function, "compile_us")) / 1000);
    }
    const char *state = json_string_value(json_object_get(root, "state"));
    long long number = number_member(root, "version_number");
    cli_message(deploying->cli, "version   %lld is %s%s", number, state == NULL ? "?" : state,
                state != NULL && strcmp(state, "pending") == 0
                    ? ": it waits for signatures (s3n release sign)"
                    : "");
    for (size_t i = 0; i < deploying->manifest->route_count; i++)
        cli_message(deploying->cli, "route     %s/a/%s%s", deploying->session.profile.url,
                    application, deploying->manifest->routes[i].route);
    return true;
}

static bool deploy(struct deploying *deploying, const struct deploy *options, struct error *error)
{
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    AUTO_JSON json_t *root = NULL;
    if (!session_open(&deploying->session, options->policy, error) ||
        !manifest_load(deploying, error))
        return false;
    struct manifest_function *functions = deploying->manifest->functions;
    size_t count = deploying->manifest->function_count;
    /* All builds first: one function's may make what others are of. */
    for (size_t i = 0; i < count && !options->no_build; i++)
        if (functions[i].build_command != NULL && !build(deploying, &functions[i], error))
            return false;
    for (size_t i = 0; i < count; i++)
        if (!function_prepare(deploying, &functions[i], error))
            return false;
    return manifest_put(deploying, options->weight, &answer, error) &&
           json_parse(&root, buffer_view(&answer.body), error) && code_remember(deploying, error) &&
           show_result(deploying, root, error);
}

static bool deploy_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments, struct error *error)
{
    struct deploying deploying = { .cli = cli,
                                   .folder = arguments->count > 0 ? arguments->items[0] : "." };
    session_init(&deploying.session);
    bool deployed = deploy(&deploying, options, error);
    if (!deployed) {
        session_show_refusal(&deploying.session, cli);
        cli_hint(cli, deploying.session.hint);
    }
    manifest_free(deploying.manifest);
    session_done(&deploying.session);
    return deployed;
}

static const struct deploy defaults = { .weight = 100 };
const struct verb verb_deploy = { .name = "deploy",
                                  .summary = "build and deploy the application of a folder",
                                  .table = &table,
                                  .defaults = &defaults,
                                  .options_size = sizeof(struct deploy),
                                  .run = deploy_run };
