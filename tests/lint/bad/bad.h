/* SPDX-License-Identifier: MIT */
/* A header that does not compile alone, to show that lint.headers can tell. */
#ifndef BAD_H
#define BAD_H

a_type_it_does_not_include *bad(void);

#endif
