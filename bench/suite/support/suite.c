/* SPDX-License-Identifier: MIT */
#include "suite.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

void suite_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

void suite_check(int is_true, const char *what)
{
    if (!is_true) suite_die(what);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) suite_die("clock_gettime");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t suite_time(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t suite_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t suite_cpu_of(int pid)
{
    clockid_t clock;
    errno = clock_getcpuclockid(pid, &clock);
    if (errno != 0) suite_die("clock_getcpuclockid");
    return read_clock(clock);
}

long suite_number(int argc, char **argv, int index, long otherwise)
{
    const long value = argc > index ? strtol(argv[index], NULL, 10) : otherwise;
    if (value < 1) {
        fprintf(stderr, "%s: argument %d, \"%s\", is not a number from 1 on\n", argv[0], index,
                argc > index ? argv[index] : "");
        exit(2);
    }
    return value;
}

void suite_figure(const char *name, double value)
{
    printf("%s %.3f\n", name, value);
    fflush(stdout);
}

int suite_listen(void)
{
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    suite_check(listener >= 0, "socket");
    suite_check(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
    suite_check(listen(listener, 4096) == 0, "listen");
    return listener;
}

int suite_accept(int listener)
{
    const int one = 1;
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        suite_check(errno == EAGAIN || errno == ECONNABORTED || errno == EINTR, "accept4");
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

void suite_serving_port(int port)
{
    printf("port %d\n", port);
    fflush(stdout);
}

void suite_serving(int listener)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    suite_check(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    suite_serving_port(ntohs(address.sin_port));
}

void suite_many_descriptors(void)
{
    struct rlimit limit;
    suite_check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    suite_check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}
