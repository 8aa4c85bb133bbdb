// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Back-off: how a thread waits for something that is about to happen. Layer: queue.

#include <gossip/core/chrono.hpp>

#include <thread>

namespace gossip::detail {

/// Tells the processor that this thread spins.
inline void pause_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

inline void pause_processor(unsigned times) noexcept {
  for (unsigned i = 0; i < times; ++i) pause_processor();
}

/// Gives other threads a turn. Beside other processes that can be a whole time slice.
/// @return  false if it took long: better not again soon
inline bool give_turn() noexcept {
  constexpr std::chrono::microseconds long_turn{100};
  const auto before = std::chrono::steady_clock::now();
  std::this_thread::yield();
  return std::chrono::steady_clock::now() - before < long_turn;
}

/// Waits for `ready`, which is about to hold, if it ever will: on the processor, then giving other
/// threads turns. Those are needed: whoever makes it ready may be waiting for this very processor.
/// Two threads that put each other to sleep and wake each other can stay on one processor for long
/// while another is idle; the kernel moves threads that wait for their turn. After a long turn there
/// is no other.
/// @param looks  how often to look first, 0.1 to 0.4 us apart
/// @param turns  how often to give others a turn then, 0.2 to 1 us each if nobody takes it
/// @return       true if `ready` held
template <class Ready>
bool spin_until(Ready&& ready, unsigned looks, unsigned turns = 0) noexcept {
  for (unsigned i = 0; i < looks; ++i) {
    if (ready()) return true;
    pause_processor(8);
  }
  for (unsigned i = 0; i < turns; ++i) {
    if (ready()) return true;
    if (!give_turn()) break;
  }
  return ready();
}

/// Turns that a thread gives others, time and again, while it waits. Where another process wants the same
/// processor such a turn may be a time slice of milliseconds, and whatever the thread waits for lies there
/// meanwhile; a thread that sleeps is preferred when it wakes up. So after a long turn it gives none for
/// the next 256 times, and twice as often none after each further one, up to 65536 times.
///
/// Thread safety: none; one for each thread.
class TurnsWhileShort {
 public:
  /// @param turns  how often at most to give one, looking before each
  /// @param give   gives a turn; returns false if it took long
  /// @return       true if `ready` held
  template <class Ready, class Give>
  bool until(Ready&& ready, unsigned turns, Give&& give) noexcept {
    if (left_out_ != 0) {
      --left_out_;
      return ready();
    }
    for (unsigned i = 0; i < turns; ++i) {
      if (ready()) return true;
      if (give()) continue;
      left_out_ = after_long_;
      if (after_long_ < most_left_out) after_long_ *= 2;
      break;
    }
    return ready();
  }

 private:
  static constexpr unsigned most_left_out = 65536;

  unsigned left_out_ = 0;      ///< times for which it still gives none
  unsigned after_long_ = 256;  ///< times for which it gives none after the next long turn
};

/// Spins before a thread goes to sleep, as long as they save it that. Where values come at longer
/// intervals than it spins, each spin is in vain: at 20,000 values per second they cost a tenth of a
/// processor. So after eight vain ones in a row the next 16 are left out, and twice as many after each
/// further vain one, up to 256; one that was not in vain ends that. Adaptive mutexes spin like that.
///
/// Thread safety: none; one for each thread.
class SpinsWhileWorth {
 public:
  /// @param spin  waits for a while; returns true if something has come
  /// @return      what it returned; false if it was left out
  template <class Spin>
  bool try_one(Spin&& spin) noexcept {
    if (left_out_ != 0) {
      --left_out_;
      return false;
    }
    if (spin()) {
      vain_ = 0;
      after_vain_ = first_left_out;
      return true;
    }
    if (vain_ < most_vain) ++vain_;
    if (vain_ < most_vain) return false;
    left_out_ = after_vain_;
    if (after_vain_ < most_left_out) after_vain_ *= 2;
    return false;
  }

 private:
  static constexpr unsigned most_vain = 8;
  static constexpr unsigned first_left_out = 16;
  static constexpr unsigned most_left_out = 256;

  unsigned vain_ = 0;                     ///< in a row
  unsigned left_out_ = 0;                 ///< how many are still to be left out
  unsigned after_vain_ = first_left_out;  ///< how many will be after the next vain one
};

/// Waits for `ready`, giving other threads a turn after each look. Looks seldom, since each look
/// takes a cache line from the threads that are waited for. After a long turn there is no other.
/// @param looks  how often to look, 1 to 4 us apart
/// @return       true if `ready` held
template <class Ready>
bool take_turns_until(Ready&& ready, unsigned looks) noexcept {
  for (unsigned i = 0; i < looks; ++i) {
    if (ready()) return true;
    pause_processor(64);
    if (!give_turn()) break;
  }
  return ready();
}

}  // namespace gossip::detail
