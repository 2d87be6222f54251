/* SPDX-License-Identifier: MIT */
/* The limit: posix_spawn, reads until both pipes have ended, waitpid. */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_stopped;
static pid_t child;
static int ours[3];

static void spawn_open(void)
{
}

static void spawn_start(void)
{
    char program[] = "/bin/true";
    char *arguments[] = { program, NULL };
    char *environment[] = { NULL };
    posix_spawn_file_actions_t actions;
    int pairs[3][2];
    suite_check(posix_spawn_file_actions_init(&actions) == 0, "posix_spawn_file_actions_init");
    for (int i = 0; i < 3; i++) {
        suite_check(pipe2(pairs[i], O_CLOEXEC) == 0, "pipe2");
        ours[i] = pairs[i][i == 0];
        suite_check(posix_spawn_file_actions_adddup2(&actions, pairs[i][i != 0], i) == 0,
                    "posix_spawn_file_actions_adddup2");
    }
    suite_check(posix_spawn(&child, program, &actions, NULL, arguments, environment) == 0,
                "posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < 3; i++) close(pairs[i][i != 0]);
}

static void spawn_stop(void)
{
    is_stopped = 1;
}

static void spawn_run(void)
{
    while (!is_stopped) {
        char buffer[4096];
        int status;
        for (int i = 1; i < 3; i++) {
            while (read(ours[i], buffer, sizeof(buffer)) > 0) continue;
            close(ours[i]);
        }
        close(ours[0]);
        suite_check(waitpid(child, &status, 0) == child, "waitpid");
        spawn_ended(status);
    }
}
