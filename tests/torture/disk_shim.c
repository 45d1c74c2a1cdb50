/* Between a program and its disk: what it does to files below one folder goes into a log, and some of it can fail.
 *
 * Preloaded (LD_PRELOAD) into the program under test. Every operation on a file below $DISK_ROOT is let through and
 * then, before the call returns, written to $DISK_LOG; one lock makes the order in the log the order on the disk.
 * From the log alone tests/torture/disk.py makes what a power cut at any instant would have left.
 *
 *   DISK_ROOT   folder, absolute and without links
 *   DISK_LOG    file of the log, outside of the folder
 *   DISK_FAULT  "KIND:FIRST:ERRNO:COUNT": calls number FIRST (from 0) and later of that kind fail, COUNT of them;
 *               0 means until $DISK_LIFT exists. KIND: write, sync, truncate, open, remove, or any.
 *   DISK_LIFT   file whose existence ends the fault
 *
 * A record: kind (1 byte), descriptor (i32), two numbers (i64), lengths of two texts (u32), the texts. Little endian,
 * packed. What is written to standard output is logged too ('A'): there the program says what it has accepted.
 *
 * A sync is noted and not carried out: what is durable is decided by the log, and the files in the folder only have
 * to look right to the running program. A shared writable mapping would pass unseen, so it is noted ('Y').
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096
#define LONGEST 4096

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char root[LONGEST];
static size_t root_length;
static int log_file = -1;
static char ours[MOST_FILES];

static struct {
    char kind[16];
    long first, count, seen, failed;
    int error, lifted;
    const char *lift;
} fault;

#define REAL(type, name, ...) \
    static type (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static int real_open_of(const char *path, int flags, mode_t mode)
{
    REAL(int, open64, const char *, int, ...);
    return real_open64(path, flags, mode);
}

static void begin(void)
{
    const char *folder = getenv("DISK_ROOT"), *log = getenv("DISK_LOG"), *wanted = getenv("DISK_FAULT");
    if (!folder || !log)
        return;
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    log_file = real_open_of(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (wanted && sscanf(wanted, "%15[a-z]:%ld:%d:%ld", fault.kind, &fault.first, &fault.error, &fault.count) != 4)
        abort();
    fault.lift = getenv("DISK_LIFT");
    /* The environment is copied: a child of the program under test would write into the same log. */
    unsetenv("LD_PRELOAD");
}

static void enter(void)
{
    pthread_once(&once, begin);
    pthread_mutex_lock(&turn);
}

static void leave(void)
{
    int kept = errno;
    pthread_mutex_unlock(&turn);
    errno = kept;
}

static const char *below(const char *path)
{
    if (!root_length || !path || strncmp(path, root, root_length) != 0)
        return NULL;
    if (path[root_length] == '\0')
        return "";
    return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static int watched(int descriptor)
{
    return descriptor >= 0 && descriptor < MOST_FILES && ours[descriptor];
}

struct __attribute__((packed)) head {
    char kind;
    int32_t descriptor;
    int64_t one, two;
    uint32_t lengths[2];
};

static void note(char kind, int descriptor, int64_t one, int64_t two, const void *text, size_t size, const char *other)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    size_t rest = other ? strlen(other) : 0;
    struct head head = {kind, descriptor, one, two, {(uint32_t)size, (uint32_t)rest}};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)text, size}, {(void *)other, rest}};
    int kept = errno;
    if (real_writev(log_file, parts, 3) != (ssize_t)(sizeof head + size + rest))
        abort(); /* a log with a hole proves nothing */
    errno = kept;
}

/* Whether this call is to fail; then errno says how. */
static int fails(const char *kind, int descriptor)
{
    if (!fault.kind[0] || (strcmp(fault.kind, "any") != 0 && strcmp(fault.kind, kind) != 0))
        return 0;
    if (fault.seen++ < fault.first || fault.lifted || (fault.count && fault.failed >= fault.count))
        return 0;
    if (!fault.count && fault.lift && access(fault.lift, F_OK) == 0) {
        fault.lifted = 1;
        return 0;
    }
    fault.failed++;
    errno = fault.error;
    note('X', descriptor, fault.error, fault.seen - 1, kind, strlen(kind), NULL);
    errno = fault.error;
    return 1;
}

static int opened(const char *path, int flags, mode_t mode)
{
    enter();
    const char *name = below(path);
    if (!name) {
        int result = real_open_of(path, flags, mode);
        leave();
        return result;
    }
    int result = fails("open", -1) ? -1 : real_open_of(path, flags, mode);
    if (result >= MOST_FILES)
        abort();
    if (result >= 0) {
        ours[result] = 1;
        note('O', result, flags, 0, name, strlen(name), NULL);
    }
    leave();
    return result;
}

#define OPENS(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        return opened(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

static int opened_at(int folder, const char *path, int flags, mode_t mode)
{
    pthread_once(&once, begin);
    if (folder == AT_FDCWD || path[0] == '/')
        return opened(path, flags, mode);
    if (watched(folder))
        abort(); /* a file opened this way would not be seen */
    REAL(int, openat64, int, const char *, int, ...);
    return real_openat64(folder, path, flags, mode);
}

#define OPENS_AT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        return opened_at(folder, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

int __open_2(const char *path, int flags) { return opened(path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return opened_at(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return opened_at(folder, path, flags, 0); }
int creat(const char *path, mode_t mode) { return opened(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int descriptor)
{
    REAL(int, close, int);
    enter();
    if (watched(descriptor)) {
        ours[descriptor] = 0;
        note('C', descriptor, 0, 0, NULL, 0, NULL);
    }
    int result = real_close(descriptor);
    leave();
    return result;
}

/* With no room left, the first half of what was to be written is on the disk when the error comes. */
static ssize_t put(int descriptor, const void *text, size_t size, off64_t offset)
{
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    int failed = fails("write", descriptor), error = errno;
    if (failed && error == ENOSPC)
        size /= 2;
    else if (failed)
        size = 0;
    ssize_t result = size ? real_pwrite64(descriptor, text, size, offset) : 0;
    if (result > 0)
        note('W', descriptor, offset, 0, text, (size_t)result, NULL);
    if (!failed)
        return result;
    errno = error;
    return -1;
}

static ssize_t put_at(int descriptor, const void *text, size_t size, off64_t offset)
{
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    enter();
    ssize_t result = watched(descriptor) ? put(descriptor, text, size, offset)
                                         : real_pwrite64(descriptor, text, size, offset);
    leave();
    return result;
}

ssize_t pwrite(int descriptor, const void *text, size_t size, off_t offset)
{
    return put_at(descriptor, text, size, offset);
}

ssize_t pwrite64(int descriptor, const void *text, size_t size, off64_t offset)
{
    return put_at(descriptor, text, size, offset);
}

ssize_t write(int descriptor, const void *text, size_t size)
{
    REAL(ssize_t, write, int, const void *, size_t);
    pthread_once(&once, begin);
    if (!watched(descriptor) && !(descriptor == STDOUT_FILENO && root_length))
        return real_write(descriptor, text, size);
    enter();
    ssize_t result;
    if (!watched(descriptor)) {
        note('A', descriptor, 0, 0, text, size, NULL);
        result = real_write(descriptor, text, size);
        if (result >= 0 && (size_t)result != size)
            abort(); /* the log says more than was said */
    } else {
        off64_t offset = lseek64(descriptor, 0, fcntl(descriptor, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
        result = put(descriptor, text, size, offset);
        if (result > 0)
            lseek64(descriptor, offset + result, SEEK_SET);
    }
    leave();
    return result;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    if (!watched(descriptor) && descriptor != STDOUT_FILENO)
        return real_writev(descriptor, parts, count);
    ssize_t total = 0;
    for (int part = 0; part < count; part++) {
        ssize_t result = write(descriptor, parts[part].iov_base, parts[part].iov_len);
        if (result < 0)
            return total ? total : result;
        total += result;
        if ((size_t)result < parts[part].iov_len)
            break;
    }
    return total;
}

static ssize_t put_parts_at(int descriptor, const struct iovec *parts, int count, off64_t offset)
{
    ssize_t total = 0;
    for (int part = 0; part < count; part++) {
        ssize_t result = put_at(descriptor, parts[part].iov_base, parts[part].iov_len, offset + total);
        if (result < 0)
            return total ? total : result;
        total += result;
        if ((size_t)result < parts[part].iov_len)
            break;
    }
    return total;
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset)
{
    return put_parts_at(descriptor, parts, count, offset);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset)
{
    return put_parts_at(descriptor, parts, count, offset);
}

#define SYNCS(name) \
    int name(int descriptor) \
    { \
        REAL(int, name, int); \
        enter(); \
        int result = 0; \
        if (!watched(descriptor)) { \
            result = real_##name(descriptor); \
        } else { \
            if (fails("sync", descriptor)) \
                result = -1; \
            note('S', descriptor, result ? fault.error : 0, 0, NULL, 0, NULL); \
        } \
        leave(); \
        return result; \
    }
SYNCS(fsync)
SYNCS(fdatasync)

/* Starts writing out; promises nothing, so it is nothing to the log. */
int sync_file_range(int descriptor, off64_t offset, off64_t size, unsigned flags)
{
    REAL(int, sync_file_range, int, off64_t, off64_t, unsigned);
    pthread_once(&once, begin);
    return watched(descriptor) ? 0 : real_sync_file_range(descriptor, offset, size, flags);
}

static int cut_to(int descriptor, off64_t size)
{
    REAL(int, ftruncate64, int, off64_t);
    enter();
    int result = watched(descriptor) && fails("truncate", descriptor) ? -1 : real_ftruncate64(descriptor, size);
    if (result == 0 && watched(descriptor))
        note('T', descriptor, size, 0, NULL, 0, NULL);
    leave();
    return result;
}

int ftruncate(int descriptor, off_t size) { return cut_to(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) { return cut_to(descriptor, size); }

static int cut_named(const char *path, off64_t size)
{
    REAL(int, truncate64, const char *, off64_t);
    enter();
    const char *name = below(path);
    int result = name && fails("truncate", -1) ? -1 : real_truncate64(path, size);
    if (result == 0 && name)
        note('P', -1, size, 0, name, strlen(name), NULL);
    leave();
    return result;
}

int truncate(const char *path, off_t size) { return cut_named(path, size); }
int truncate64(const char *path, off64_t size) { return cut_named(path, size); }

static int take_room(int descriptor, off64_t offset, off64_t size)
{
    REAL(int, posix_fallocate64, int, off64_t, off64_t);
    enter();
    int result;
    if (watched(descriptor) && fails("write", descriptor))
        result = fault.error;
    else
        result = real_posix_fallocate64(descriptor, offset, size);
    if (result == 0 && watched(descriptor))
        note('F', descriptor, offset, size, NULL, 0, NULL);
    leave();
    return result;
}

int posix_fallocate(int descriptor, off_t offset, off_t size) { return take_room(descriptor, offset, size); }
int posix_fallocate64(int descriptor, off64_t offset, off64_t size) { return take_room(descriptor, offset, size); }

static int take_room_so(int descriptor, int mode, off64_t offset, off64_t size)
{
    REAL(int, fallocate64, int, int, off64_t, off64_t);
    pthread_once(&once, begin);
    if (!watched(descriptor))
        return real_fallocate64(descriptor, mode, offset, size);
    if (mode)
        abort(); /* holes and shifts are not in the model */
    int error = take_room(descriptor, offset, size);
    errno = error;
    return error ? -1 : 0;
}

int fallocate(int descriptor, int mode, off_t offset, off_t size)
{
    return take_room_so(descriptor, mode, offset, size);
}

int fallocate64(int descriptor, int mode, off64_t offset, off64_t size)
{
    return take_room_so(descriptor, mode, offset, size);
}

int unlink(const char *path)
{
    REAL(int, unlink, const char *);
    enter();
    const char *name = below(path);
    int result = name && fails("remove", -1) ? -1 : real_unlink(path);
    if (result == 0 && name)
        note('U', -1, 0, 0, name, strlen(name), NULL);
    leave();
    return result;
}

int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *);
    enter();
    const char *old = below(from), *new = below(to);
    if (!old != !new)
        abort(); /* into the folder or out of it: not in the model */
    int result = old && fails("remove", -1) ? -1 : real_rename(from, to);
    if (result == 0 && old)
        note('R', -1, 0, 0, old, strlen(old), new);
    leave();
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    REAL(int, mkdir, const char *, mode_t);
    enter();
    const char *name = below(path);
    int result = name && fails("open", -1) ? -1 : real_mkdir(path, mode);
    if (result == 0 && name)
        note('M', -1, 0, 0, name, strlen(name), NULL);
    leave();
    return result;
}

#define MAPS(name) \
    void *name(void *at, size_t size, int protection, int flags, int descriptor, off64_t offset) \
    { \
        REAL(void *, name, void *, size_t, int, int, int, off64_t); \
        if (watched(descriptor) && (protection & PROT_WRITE) && (flags & MAP_SHARED)) { \
            enter(); \
            note('Y', descriptor, offset, (int64_t)size, NULL, 0, NULL); \
            leave(); \
        } \
        return real_##name(at, size, protection, flags, descriptor, offset); \
    }
MAPS(mmap)
MAPS(mmap64)
