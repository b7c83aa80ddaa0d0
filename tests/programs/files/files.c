/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a C program does to files, told line by line: stdio, descriptors, folders, links,
 * times. Its argument is the folder to work in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define TELL(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long result_ = (long)(call);                                                               \
        printf("%s = %ld%s%s\n", #call, result_, errno ? " " : "", errno ? strerror(errno) : "");  \
    } while (0)

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void list(const char *path)
{
    char *names[200];
    size_t count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        printf("opendir %s: %s\n", path, strerror(errno));
        return;
    }
    for (const struct dirent *row; (row = readdir(folder)) != NULL && count < 200;) {
        /* Not every host lists "." and "..". */
        if (strcmp(row->d_name, ".") == 0 || strcmp(row->d_name, "..") == 0)
            continue;
        char text[300];
        snprintf(text, sizeof(text), "%s %d", row->d_name, row->d_type);
        names[count++] = strdup(text);
    }
    closedir(folder);
    qsort(names, count, sizeof(*names), by_name);
    printf("%s has %zu:", path, count);
    for (size_t i = 0; i < count; i++) {
        printf(" [%s]", names[i]);
        free(names[i]);
    }
    printf("\n");
}

static void look(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        printf("lstat %s: %s\n", path, strerror(errno));
        return;
    }
    printf("%s: kind %o", path, status.st_mode & S_IFMT);
    if (!S_ISDIR(status.st_mode))
        printf(" links %d size %lld", (int)status.st_nlink, (long long)status.st_size);
    printf("\n");
}

static void show(const char *path)
{
    char line[200];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("fopen %s: %s\n", path, strerror(errno));
        return;
    }
    for (unsigned number = 1; fgets(line, sizeof(line), file) != NULL; number++)
        printf("%s:%u: %s%s", path, number, line, strchr(line, '\n') ? "" : "$\n");
    fclose(file);
}

static void streams(void)
{
    FILE *file = fopen("log.txt", "w+");
    for (int i = 0; i < 1000; i++)
        fprintf(file, "line %d of a log\n", i);
    TELL(ftell(file));
    TELL(fseek(file, -10, SEEK_END));
    char rest[20] = "";
    TELL(fread(rest, 1, sizeof(rest) - 1, file));
    printf("%s", rest);
    rewind(file);
    TELL(fprintf(file, "LINE"));
    TELL(fclose(file));
    file = fopen("log.txt", "a");
    TELL(fputs("appended\n", file) >= 0);
    TELL(fclose(file));
    look("log.txt");
    TELL(fopen("missing/file", "w") == NULL);
    TELL(fopen("log.txt", "wx") == NULL);
    TELL(fopen("folder", "r+") == NULL);
}

static void descriptors(void)
{
    char buffer[64];
    int fd = open("data", O_RDWR | O_CREAT | O_EXCL, 0644);
    TELL(fd >= 0);
    TELL(write(fd, "0123456789", 10));
    TELL(pwrite(fd, "AB", 2, 4));
    TELL(pread(fd, buffer, 4, 3));
    printf("%.4s\n", buffer);
    TELL(lseek(fd, 3, SEEK_SET));
    TELL(lseek(fd, -1, SEEK_SET));
    TELL(lseek(fd, 20, SEEK_END));
    TELL(write(fd, "end", 3));
    TELL(ftruncate(fd, 6));
    TELL(lseek(fd, 0, SEEK_CUR));
    TELL(ftruncate(fd, 12));
    struct iovec parts[2] = { { buffer, 5 }, { buffer + 10, 20 } };
    memset(buffer, '?', sizeof(buffer));
    TELL(lseek(fd, 2, SEEK_SET));
    TELL(readv(fd, parts, 2));
    for (int i = 0; i < 20; i++)
        printf("%02x", buffer[i]);
    printf("\n");
    TELL(fsync(fd));
    TELL(fdatasync(fd));
    TELL(close(fd));
    TELL(close(fd));
    TELL(open("data", O_RDONLY | O_DIRECTORY));
    TELL(open("data/", O_RDONLY));
    TELL(open("data/x", O_RDONLY));
    fd = open("data", O_RDONLY);
    TELL(write(fd, "x", 1) < 0);
    TELL(close(fd));
    TELL(open("data", O_WRONLY | O_TRUNC) >= 0);
    look("data");
}

static void names(void)
{
    TELL(mkdir("new", 0755));
    TELL(mkdir("new", 0755));
    TELL(mkdir("new/a/b", 0755));
    TELL(mkdir("new/a", 0755));
    TELL(rmdir("new"));
    TELL(rename("data", "new/data"));
    TELL(rename("missing", "new/x"));
    TELL(rename("new", "new/a/new"));
    TELL(rename("new/a", "new/data"));
    TELL(rename("new/data", "new/a"));
    TELL(link("new/data", "second"));
    look("second");
    TELL(unlink("new/data"));
    look("second");
    TELL(unlink("new"));
    TELL(rmdir("second"));
    TELL(symlink("second", "pointer"));
    TELL(symlink("second", "pointer"));
    look("pointer");
    char target[100] = "";
    TELL(readlink("pointer", target, sizeof(target)));
    TELL(readlink("second", target, sizeof(target)));
    TELL(symlink("loop", "loop"));
    TELL(open("loop", O_RDONLY));
    TELL(rename("pointer", "renamed"));
    TELL(unlink("renamed"));
    TELL(unlink("loop"));
    TELL(access("second", R_OK));
    TELL(access("nothing", R_OK));
    list("new");
    list("second");
}

static void times(void)
{
    struct stat status;
    const struct timespec when[2] = { { 1000000000, 0 }, { 1100000000, 0 } };
    TELL(utimensat(AT_FDCWD, "second", when, 0));
    TELL(stat("second", &status));
    printf("%lld.%09ld %lld.%09ld\n", (long long)status.st_atim.tv_sec, status.st_atim.tv_nsec,
           (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    TELL(utimensat(AT_FDCWD, "nothing", when, 0));
}

static void many(void)
{
    char name[32];
    TELL(mkdir("many", 0755));
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof(name), "many/file-%03d", i);
        FILE *file = fopen(name, "w");
        fprintf(file, "%d", i);
        fclose(file);
    }
    list("many");
    for (int i = 0; i < 150; i += 2) {
        snprintf(name, sizeof(name), "many/file-%03d", i);
        unlink(name);
    }
    list("many");
    DIR *folder = opendir("many");
    unsigned seen = 0, removed = 0;
    for (const struct dirent *row; (row = readdir(folder)) != NULL;) {
        seen += row->d_name[0] != '.';
        snprintf(name, sizeof(name), "many/%s", row->d_name);
        removed += row->d_name[0] != '.' && unlink(name) == 0;
    }
    closedir(folder);
    printf("seen %u removed %u\n", seen, removed);
    TELL(rmdir("many"));
}

int main(int count, char **arguments)
{
    TELL(chdir(count > 1 ? arguments[1] : "/"));
    list(".");
    show("words.txt");
    look("folder");
    look("link");
    show("link");
    streams();
    descriptors();
    names();
    times();
    many();
    list(".");
    list("folder");
    return 0;
}
