/* SPDX-License-Identifier: MIT */
/* isoloop: one event loop API over every backend of the system. This header is all of it. */
#ifndef ISOLOOP_H
#define ISOLOOP_H

#include "isoloop/base.h"
#include "isoloop/child_watcher.h"
#include "isoloop/datagram.h"
#include "isoloop/error.h"
#include "isoloop/executor.h"
#include "isoloop/future.h"
#include "isoloop/limits.h"
#include "isoloop/loop.h"
#include "isoloop/pipe.h"
#include "isoloop/policy.h"
#include "isoloop/process.h"
#include "isoloop/resolve.h"
#include "isoloop/selector.h"
#include "isoloop/sendfile.h"
#include "isoloop/signals.h"
#include "isoloop/sock.h"
#include "isoloop/tcp.h"
#include "isoloop/terminal.h"
#include "isoloop/transport.h"
#include "isoloop/unix.h"

#endif
