/* SPDX-License-Identifier: MIT */
/* Which version of the system this is. */
#ifndef ISO_SYS_SYSTEM_H
#define ISO_SYS_SYSTEM_H

/* macOS: 1008 for 10.8, 1100 for 11, and a very high number when it does not tell; elsewhere 0: no
 * row of the limits table asks for it. Thread: any. Source: uname. */
unsigned iso__sys_version(void);

#endif
