/* SPDX-License-Identifier: MIT */
#include "args.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void args_complain(const char *command, const char *format, ...)
{
    va_list list;
    fprintf(stderr, "%s: ", command);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, ". See %s --help.\n", command);
}

static void print_help(const args_command *command)
{
    char head[48];
    printf("usage: %s [options]\n\n%s\noptions:\n", command->name, command->about);
    for (size_t i = 0; i < command->option_count; i++) {
        const args_option *option = &command->options[i];
        const char *value = option->value != NULL ? option->value : "";
        snprintf(head, sizeof(head), "%s %s", option->name, value);
        printf("  %-20s  %s\n", head, option->help);
    }
    printf("  %-20s  %s\n", "--help", "print this");
    if (command->notes != NULL) printf("\n%s", command->notes);
}

/* Digits only, with an optional minus: no space, no sign but that one, no overflow. */
static bool read_number(const char *text, int64_t *out)
{
    const bool negative = text[0] == '-';
    const char *digit = text + negative;
    int64_t value = 0;
    if (*digit == '\0') return false;
    for (; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') return false;
        if (value > (INT64_MAX - 9) / 10) return false;
        value = value * 10 + (*digit - '0');
    }
    *out = negative ? -value : value;
    return true;
}

static bool set_number(const args_command *command, const args_option *option, const char *value)
{
    int64_t number = 0;
    if (read_number(value, &number) && number >= option->min && number <= option->max) {
        *option->to.number = number;
        return true;
    }
    args_complain(command->name, "%s takes a whole number from %lld to %lld, not '%s'",
                  option->name, (long long)option->min, (long long)option->max, value);
    return false;
}

static bool set_list(const args_command *command, const args_option *option, const char *value)
{
    args_list *list = option->to.list;
    if (list->count < ARGS_LIST_MAX) {
        list->items[list->count++] = value;
        return true;
    }
    args_complain(command->name, "%s can be given %d times at most", option->name, ARGS_LIST_MAX);
    return false;
}

static bool set_value(const args_command *command, const args_option *option, const char *value)
{
    switch (option->kind) {
    case ARGS_FLAG: *option->to.flag = true; return true;
    case ARGS_NUMBER: return set_number(command, option, value);
    case ARGS_TEXT: *option->to.text = value; return true;
    case ARGS_LIST:
    case ARGS_PAIR: return set_list(command, option, value);
    }
    return false;
}

/* The option that `argument` names, either all of it or up to its '='. */
static const args_option *find_option(const args_command *command, const char *argument,
                                      size_t length)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const char *name = command->options[i].name;
        if (strlen(name) == length && memcmp(name, argument, length) == 0)
            return &command->options[i];
    }
    return NULL;
}

static bool complain_of_none(const args_command *command, const args_option *option)
{
    args_complain(command->name, "%s needs %s, %s", option->name,
                  option->kind == ARGS_PAIR ? "two values" : "a value", option->value);
    return false;
}

/* The second value of a pair; of one that is given twice the last counts. */
static bool take_second(const args_command *command, const args_option *option, const char *first,
                        const char *second)
{
    if (second == NULL) return complain_of_none(command, option);
    option->to.list->count = 0;
    return set_value(command, option, first) && set_value(command, option, second);
}

/* Take the option at argv[*at], and its value. Moves *at to the last argument that it took. */
static bool take_option(const args_command *command, int argc, char **argv, int *at)
{
    const char *argument = argv[*at];
    const size_t length = strcspn(argument, "=");
    const char *value = argument[length] == '=' ? argument + length + 1 : NULL;
    const args_option *option = find_option(command, argument, length);
    if (option == NULL) {
        args_complain(command->name, "'%s' is not one of its options", argument);
        return false;
    }
    if (option->kind == ARGS_FLAG && value != NULL) {
        args_complain(command->name, "%s takes no value", option->name);
        return false;
    }
    if (option->kind != ARGS_FLAG && value == NULL) {
        if (*at + 1 >= argc) return complain_of_none(command, option);
        value = argv[++*at];
    }
    if (option->kind == ARGS_PAIR)
        return take_second(command, option, value, *at + 1 < argc ? argv[++*at] : NULL);
    return set_value(command, option, value);
}

args_answer args_parse(const args_command *command, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command);
            return ARGS_DONE;
        }
        if (!take_option(command, argc, argv, &i)) return ARGS_WRONG;
    }
    return ARGS_GO;
}
