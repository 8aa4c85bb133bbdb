// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Durations, time points, clocks and their literals: the standard's chrono header without its
/// calendars, where they can be left out. Layer: core.

#include <version>

#if defined(__GLIBCXX__)
// Its <chrono> reads the streams, too, for calendars that nothing here uses. A header that waits until
// a time point reads the rest alone.
#include <mutex>
#else
#include <chrono>
#endif
