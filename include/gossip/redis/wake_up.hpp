// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// WakeUp: ends another thread's poll(). Layer: redis.

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace gossip::redis {

/// A file descriptor by which a thread in poll() is woken.
class WakeUp {
 public:
  /// @throws std::system_error
  WakeUp() : descriptor_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
    if (descriptor_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
  }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;
  ~WakeUp() { ::close(descriptor_); }

  /// For poll(); readable once notify() has been called.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  /// Wakes the thread, if it sleeps or is about to.
  /// @par Thread safety any thread
  void notify() noexcept {
    // (1) acq_rel: either this reads what (2) wrote, or (2) comes later and the sleeper's last look
    // for work sees what the caller did before.
    if (!sleeping_.exchange(false, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
  }

  /// For the thread itself: says that it is about to sleep; it then looks for work once more.
  void about_to_sleep() noexcept {
    sleeping_.exchange(true, std::memory_order_acq_rel);  // (2) pairs with (1)
  }
  /// For the thread itself: sleeps until it is woken, something happens at a socket, or time is up.
  /// @param socket   a descriptor; negative: none
  /// @param events   of the socket, as poll() has them
  /// @param at_most  how long; not at all if it is not positive
  /// @return         what happened at the socket
  [[nodiscard]] short sleep(int socket, short events,
                            std::chrono::nanoseconds at_most) const noexcept {
    timespec limit{};
    if (at_most.count() > 0) {
      const auto capped = std::min<std::int64_t>(at_most.count(), 3'600'000'000'000);
      limit.tv_sec = static_cast<std::time_t>(capped / 1'000'000'000);
      limit.tv_nsec = static_cast<long>(capped % 1'000'000'000);
    }
    pollfd sockets[2] = {{descriptor_, POLLIN, 0}, {socket, events, 0}};
    const int ready = ::ppoll(sockets, 2, &limit, nullptr);
    return ready > 0 ? sockets[1].revents : short{0};
  }
  /// For the thread itself: says that it sleeps no longer.
  void awake() noexcept {
    sleeping_.store(false, std::memory_order_relaxed);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(descriptor_, &count, sizeof count);
  }

 private:
  const int descriptor_;
  std::atomic<bool> sleeping_{false};
};

}  // namespace gossip::redis
