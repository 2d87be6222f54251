/* SPDX-License-Identifier: MIT */
/* What a function of the public API carries in front of its declaration.
 *
 * A static library (the default) needs nothing. For a shared one the build defines ISOLOOP_SHARED,
 * in the library and, through the CMake target or the pkg-config file, in the program that uses
 * it. */
#ifndef ISOLOOP_EXPORT_H
#define ISOLOOP_EXPORT_H

#if !defined(ISOLOOP_SHARED)
#define ISO_API
#elif defined(_WIN32)
#if defined(ISOLOOP_BUILDING)
#define ISO_API __declspec(dllexport)
#else
#define ISO_API __declspec(dllimport)
#endif
#else
#define ISO_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
#define ISO_BEGIN_DECLS extern "C" {
#define ISO_END_DECLS }
#else
#define ISO_BEGIN_DECLS
#define ISO_END_DECLS
#endif

#endif
