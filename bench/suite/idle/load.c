/* SPDX-License-Identifier: MIT */
/* Connections that idle, at one of the echo servers:
 *
 *     idle PID PORT [CONNECTIONS]
 *
 * Each of CONNECTIONS (10,000) has one byte echoed, so that it was accepted and is at work, and
 * idles. Printed: by how much the private memory of process PID, the server, grew for each, in
 * bytes. A hundred go before, and are not counted. */
#include "../support/suite.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BEFORE = 100 };

/* What is in memory and is no file's, in KiB. */
static long private_memory(long pid)
{
    char name[64];
    char line[256];
    long found = -1;
    (void)snprintf(name, sizeof(name), "/proc/%ld/status", pid);
    FILE *status = fopen(name, "r");
    suite_check(status != NULL, name);
    while (found < 0 && fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "RssAnon: %ld kB", &found) != 1) found = -1;
    fclose(status);
    suite_check(found >= 0, "RssAnon");
    return found;
}

static void connect_and_echo(const struct sockaddr_in *to)
{
    char byte = 'e';
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval never_long = { 10, 0 };
    suite_check(fd >= 0, "socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &never_long, sizeof(never_long));
    suite_check(connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0, "connect");
    suite_check(send(fd, &byte, 1, MSG_NOSIGNAL) == 1, "send");
    suite_check(recv(fd, &byte, 1, 0) == 1, "recv");
}

int main(int argc, char **argv)
{
    const long pid = suite_number(argc, argv, 1, 0);
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)suite_number(argc, argv, 2, 0)),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const long connections = suite_number(argc, argv, 3, 10000);
    suite_many_descriptors();
    for (long i = 0; i < BEFORE; i++) connect_and_echo(&to);
    const long before = private_memory(pid);
    for (long i = 0; i < connections; i++) connect_and_echo(&to);
    suite_figure("bytes", (double)(private_memory(pid) - before) * 1024 / (double)connections);
    return 0;
}
