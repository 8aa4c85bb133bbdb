// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The processor's time stamp counter and its conversion to Unix time. Layer: core.

#include <gossip/core/chrono.hpp>

#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace gossip::detail {

/// Nanoseconds since the Unix epoch.
inline std::int64_t unix_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

inline std::int64_t steady_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// True if the counter runs at one rate on all cores, whatever the power state.
inline bool tick_counter_is_invariant() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(0x80000007U, &a, &b, &c, &d) != 0 && (d & (1U << 8U)) != 0;
#elif defined(__aarch64__)
  return true;
#else
  return false;
#endif
}

/// Decided once, before main.
inline const bool has_tick_counter = tick_counter_is_invariant();

/// The counter, or nanoseconds since the Unix epoch where there is none. Never 0.
inline std::uint64_t read_tick_counter() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  if (has_tick_counter) return __builtin_ia32_rdtsc() | 1U;
#elif defined(__aarch64__)
  std::uint64_t ticks = 0;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks | 1U;
#endif
  return static_cast<std::uint64_t>(unix_ns());
}

/// One reading of the counter beside a clock.
struct TickAnchor {
  std::uint64_t ticks;
  std::int64_t ns;
};

/// Reads the counter and `clock()`, in nanoseconds, together: the closest of three pairs, since a
/// thread may lose its core in between.
template <class ReadClock>
TickAnchor read_tick_anchor(ReadClock clock) noexcept {
  TickAnchor closest{0, 0};
  std::uint64_t least = ~std::uint64_t{0};
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = read_tick_counter();
    const std::int64_t ns = clock();
    const std::uint64_t apart = read_tick_counter() - before;
    if (apart < least) closest = {before + apart / 2, ns};
    if (apart < least) least = apart;
  }
  return closest;
}

/// The first reading in the process, against the steady clock: the base of the counter's rate.
inline const TickAnchor first_tick_anchor = read_tick_anchor(&steady_ns);

/// Converts what read_tick_counter() returned. Each thread keeps an anchor to the system clock and
/// renews it when the time asked for is over 100 ms away, so a stepped clock is noticed; the rate
/// comes from the steady clock, whose baseline grows with the life of the process. No lock.
inline std::int64_t tick_counter_to_unix_ns(std::uint64_t ticks) noexcept {
  if (!has_tick_counter) return static_cast<std::int64_t>(ticks);
  struct Calibration {
    TickAnchor anchor{0, 0};
    double ns_per_tick = 0;
  };
  static thread_local constinit Calibration calibration{};
  static constexpr double max_distance_ns = 100e6;
  const auto distance_ns = [&] {
    return static_cast<double>(static_cast<std::int64_t>(ticks - calibration.anchor.ticks)) *
           calibration.ns_per_tick;
  };
  double distance = distance_ns();
  if (calibration.ns_per_tick == 0 || distance > max_distance_ns || distance < -max_distance_ns) {
    TickAnchor steady{0, 0};
    do {
      steady = read_tick_anchor(&steady_ns);
    } while (steady.ns - first_tick_anchor.ns < 50'000);  // too early for a rate
    calibration.ns_per_tick = static_cast<double>(steady.ns - first_tick_anchor.ns) /
                              static_cast<double>(steady.ticks - first_tick_anchor.ticks);
    calibration.anchor = read_tick_anchor(&unix_ns);
    distance = distance_ns();
  }
  return calibration.anchor.ns + static_cast<std::int64_t>(distance);
}

}  // namespace gossip::detail
