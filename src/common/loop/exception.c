/* SPDX-License-Identifier: MIT */
/* Errors that have no caller to return to. */
#include "loop/loop.h"

void iso__loop_report(iso_loop *loop, const iso_exception_context *context)
{
    if (loop->exception_handler != NULL)
        loop->exception_handler(loop, context, loop->exception_arg);
    else
        iso_loop_default_exception_handler(loop, context);
}

void iso_loop_call_exception_handler(iso_loop *loop, const iso_exception_context *context)
{
    iso__loop_report(loop, context);
}

void iso_loop_default_exception_handler(iso_loop *loop, const iso_exception_context *context)
{
    iso__log(&loop->engine.logger, ISO_LOG_ERROR, "%s: %s (%s)",
             context->message != NULL ? context->message : "an error that nobody handled",
             iso_strerror(context->error), iso_error_name(context->error));
}

int iso_loop_set_exception_handler(iso_loop *loop, iso_exception_handler handler, void *arg)
{
    int rc = iso__loop_check_thread(loop);

    if (rc != 0) return rc;
    loop->exception_handler = handler;
    loop->exception_arg = arg;
    return 0;
}
