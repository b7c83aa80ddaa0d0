/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jail.h"

#include "base/file.h"
#include "base/jail_filter.h"
#include "base/jail_sanitized.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool write_text(const char *path, const char *text, struct error *error)
{
    AUTO_CLOSE int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_system(error, "open %s", path);
    return file_write_all(descriptor, bytes_of_string(text), error) ||
           error_within(error, "%s", path);
}

/* Maps this user, and nobody else, to itself. */
static bool map_ids(uid_t uid, gid_t gid, struct error *error)
{
    char text[64];
    if (!write_text("/proc/self/setgroups", "deny", error))
        return false;
    snprintf(text, sizeof(text), "%u %u 1", uid, uid);
    if (!write_text("/proc/self/uid_map", text, error))
        return false;
    snprintf(text, sizeof(text), "%u %u 1", gid, gid);
    return write_text("/proc/self/gid_map", text, error);
}

static bool enter_namespaces(const struct jail_profile *profile, bool is_root, struct error *error)
{
    int kinds = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    if (!profile->keep_network)
        kinds |= CLONE_NEWNET;
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (is_root)
        return unshare(kinds) == 0 || error_system(error, "make namespaces");
    if (unshare(CLONE_NEWUSER) != 0) {
        error_system(error, "this kernel refuses namespaces to ordinary users "
                            "(user.max_user_namespaces, kernel.unprivileged_userns_clone, a "
                            "security module or a chroot); allow them or start as root");
        error->code = ERROR_UNAVAILABLE;
        return false;
    }
    if (!map_ids(uid, gid, error))
        return error_within(error, "user namespace");
    return unshare(kinds) == 0 || error_system(error, "make namespaces in a user namespace");
}

/* A folder of the old root to mount the new one on; any will do. */
static const char *find_mount_point(void)
{
    static const char *const candidates[] = { "/tmp", "/proc", "/run", "/dev", "/usr", "/etc" };
    struct stat status;
    for (size_t i = 0; i < ARRAY_COUNT(candidates); i++) {
        if (stat(candidates[i], &status) == 0 && S_ISDIR(status.st_mode))
            return candidates[i];
    }
    return "/mnt";
}

static bool enter_empty_root(struct error *error)
{
    static const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const char *point = find_mount_point();
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return error_system(error, "make mounts private");
    if (mount("empty", point, "tmpfs", flags, "size=4k,nr_inodes=2,mode=555") != 0)
        return error_system(error, "mount an empty root on %s", point);
    /* The old root ends up on top of the new one, and is then detached. */
    if (chdir(point) != 0 || syscall(SYS_pivot_root, ".", ".") != 0)
        return error_system(error, "change to the empty root");
    if (umount2(".", MNT_DETACH) != 0)
        return error_system(error, "detach the old root");
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) != 0)
        return error_system(error, "make the empty root read-only");
    return chdir("/") == 0 || error_system(error, "enter the empty root");
}

/* The folder, and nothing beside or above it, is all that is left of the files. */
static bool enter_folder(const char *folder, struct error *error)
{
    static const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return error_system(error, "make mounts private");
    if (mount(folder, folder, NULL, MS_BIND, NULL) != 0)
        return error_system(error, "mount %s", folder);
    if (chdir(folder) != 0 || syscall(SYS_pivot_root, ".", ".") != 0)
        return error_system(error, "change the root to %s", folder);
    if (umount2(".", MNT_DETACH) != 0)
        return error_system(error, "detach the old root");
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | flags, NULL) != 0)
        return error_system(error, "take rights from the new root");
    return chdir("/") == 0 || error_system(error, "enter the new root");
}

static bool enter_root(const struct jail_profile *profile, struct error *error)
{
    if (profile->folder != NULL)
        return enter_folder(profile->folder, error);
    return profile->keep_files || enter_empty_root(error);
}

static bool set_limit(__rlimit_resource_t resource, const char *name, uint64_t value,
                      struct error *error)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return error_system(error, "read limit %s", name);
    /* Only root could raise a limit, and it never has to be raised here. */
    if (limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max)
        limit.rlim_max = value;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit) == 0 || error_system(error, "set limit %s", name);
}

static bool set_limits(const struct jail_profile *profile, struct error *error)
{
    const struct {
        __rlimit_resource_t resource;
        const char *name;
        uint64_t value;
        bool is_wanted;
    } rows[] = {
        { RLIMIT_CORE, "core", 0, true },
        { RLIMIT_AS, "memory", profile->memory_max,
          profile->memory_max != 0 && JAIL_LIMITS_ADDRESSES },
        { RLIMIT_CPU, "cpu", profile->cpu_seconds_max, profile->cpu_seconds_max != 0 },
        { RLIMIT_FSIZE, "file size", profile->file_size_max, profile->file_size_max != UINT64_MAX },
        { RLIMIT_NOFILE, "descriptors", profile->descriptors_max, profile->descriptors_max != 0 },
        { RLIMIT_NPROC, "processes", profile->processes_max, profile->processes_max != 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (rows[i].is_wanted && !set_limit(rows[i].resource, rows[i].name, rows[i].value, error))
            return false;
    }
    return true;
}

static bool drop_bounding_set(struct error *error)
{
    for (unsigned long number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++) {
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0)
            return error_system(error, "drop capability %lu for good", number);
    }
    return true;
}

static bool become_user(uid_t uid, gid_t gid, struct error *error)
{
    if (setgroups(0, NULL) != 0)
        return error_system(error, "leave all groups");
    if (setresgid(gid, gid, gid) != 0)
        return error_system(error, "become group %u", gid);
    if (setresuid(uid, uid, uid) != 0)
        return error_system(error, "become user %u", uid);
    return true;
}

static bool drop_capabilities(struct error *error)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return error_system(error, "clear ambient capabilities");
    if (syscall(SYS_capset, &header, none) != 0)
        return error_system(error, "drop capabilities");
    return true;
}

static bool drop_privileges(bool is_root, uid_t uid, gid_t gid, struct error *error)
{
    /* Changing who one is clears the parent-death signal. */
    int death_signal = 0;
    pid_t parent = getppid();
    if (prctl(PR_GET_PDEATHSIG, &death_signal) != 0)
        return error_system(error, "read the parent-death signal");
    if (!drop_bounding_set(error))
        return false;
    if (is_root && !become_user(uid, gid, error))
        return false;
    if (!drop_capabilities(error))
        return false;
    if (is_root && setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
        return error_set(error, ERROR_INTERNAL, "the way back to root is open");
    if (prctl(PR_SET_PDEATHSIG, death_signal) != 0)
        return error_system(error, "set the parent-death signal");
    if (death_signal != 0 && getppid() != parent)
        return error_set(error, ERROR_UNAVAILABLE, "the parent is gone");
    if (prctl(PR_SET_DUMPABLE, 0) != 0)
        return error_system(error, "become undumpable");
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 || error_system(error, "no new privileges");
}

static bool enter(const struct jail_profile *profile, const struct jail_filter *filter, uid_t uid,
                  gid_t gid, struct error *error)
{
    bool is_root = geteuid() == 0;
    if (is_root && (uid == 0 || gid == 0))
        return error_set(error, ERROR_INVALID, "root needs another user to become");
    if (!enter_namespaces(profile, is_root, error))
        return false;
    if (!enter_root(profile, error))
        return false;
    return set_limits(profile, error) && drop_privileges(is_root, uid, gid, error) &&
           jail_filter_install(filter, error);
}

static struct jail_filter narrow;

bool jail_narrow_prepare(const struct jail_profile *profile, struct error *error)
{
    return jail_filter_build(&narrow, profile, error);
}

bool jail_narrow(struct error *error)
{
    ASSERT(narrow.count != 0);
    return jail_filter_install(&narrow, error);
}

bool jail_enter(const struct jail_profile *profile, uid_t uid, gid_t gid, struct error *error)
{
    /* Not on the stack for its size, not freed after: the filter may forbid what free would call.
     */
    static struct jail_filter filter;
    /* With more threads than arenas glibc opens /sys/devices/system/cpu/online to count processors,
     * in the middle of some malloc: no filter lets it. */
    mallopt(M_ARENA_MAX, JAIL_MALLOC_ARENA_COUNT);
    if (!jail_filter_build(&filter, profile, error))
        return false;
    jail_before();
    return enter(profile, &filter, uid, gid, error) ||
           error_within(error, "jail %s", profile->name);
}
