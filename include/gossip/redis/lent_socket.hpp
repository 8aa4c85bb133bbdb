// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// LentSocket: a thread that waits for an answer reads from a socket that another thread owns. Layer:
/// redis.

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>

namespace gossip::redis {

/// Lends a socket to one thread at a time, which waits for bytes there without whatever guards the
/// owner's state, and then needs no poll() before it reads. While it is lent, nobody else reads from
/// it or closes it. What the borrower cannot deal with himself he leaves here for the owner.
///
/// Thread safety: lend, recall, left_over, take under the owner's guard, the last two while not lent;
/// lent, full from any thread; the rest by the borrower.
class LentSocket {
 public:
  /// What recv() answered.
  struct Read {
    std::string_view bytes;  ///< empty: the end, or an error
    int error = 0;           ///< errno; 0: none

    /// True if nothing more will come.
    [[nodiscard]] bool is_end() const noexcept { return bytes.empty() && !is_nothing(); }
    /// True if there is nothing to tell.
    [[nodiscard]] bool is_nothing() const noexcept {
      return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
    }
  };

  /// Lends it to the calling thread. @pre !lent() && !full()
  void lend(int descriptor) noexcept {
    descriptor_ = descriptor;
    state_.store(State::lent, std::memory_order_relaxed);
  }
  /// True while somebody has it. @par Thread safety any thread
  [[nodiscard]] bool lent() const noexcept {
    return state_.load(std::memory_order_acquire) == State::lent;  // (1) pairs with (2)
  }
  /// True if the owner has something to take(). @par Thread safety any thread
  [[nodiscard]] bool full() const noexcept {
    return state_.load(std::memory_order_acquire) == State::full;  // (1) pairs with (2)
  }
  /// Has it given back, which takes no longer than waking the borrower; nothing is left over. For who is
  /// about to close the socket, which is of no use then.
  void recall() noexcept {
    if (lent()) {
      ::shutdown(descriptor_, SHUT_RDWR);
      state_.wait(State::lent, std::memory_order_acquire);  // (1) pairs with (2)
    }
    state_.store(State::free, std::memory_order_relaxed);
  }
  /// What was left for the owner; valid until it is lent again. @pre full()
  [[nodiscard]] Read take() noexcept {
    state_.store(State::free, std::memory_order_relaxed);
    return read_;
  }

  /// Waits for bytes and reads them.
  /// @param at_most  how long; where that is not less than `limit`, the socket's own limit ends the waiting
  /// @param limit    of the socket: SO_RCVTIMEO
  Read wait(std::chrono::milliseconds at_most, std::chrono::milliseconds limit) noexcept {
    if (at_most < limit) {
      pollfd socket{descriptor_, POLLIN, 0};
      if (::poll(&socket, 1, static_cast<int>(at_most.count())) <= 0) return read_ = {{}, EAGAIN};
    }
    const ssize_t size = ::recv(descriptor_, bytes_, sizeof bytes_, 0);
    if (size < 0) return read_ = {{}, errno};
    return read_ = {{bytes_, static_cast<std::size_t>(size)}, 0};
  }
  /// Gives it back.
  void give_back() noexcept { end(State::free); }
  /// Gives it back, and leaves what was read to the owner.
  void leave() noexcept { end(read_.is_nothing() ? State::free : State::full); }

 private:
  enum class State : std::uint32_t { free, lent, full };

  void end(State state) noexcept {
    state_.store(state, std::memory_order_release);  // (2) pairs with (1)
    state_.notify_one();
  }

  std::atomic<State> state_{State::free};
  int descriptor_ = -1;
  Read read_;
  char bytes_[4096];
};

}  // namespace gossip::redis
