// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// start_thread: the one place where gossip makes threads. Layer: dispatch.

#include <gossip/config.hpp>

#include <exception>
#include <system_error>
#include <thread>

#if defined(GOSSIP_GLIBC_THREADS)
#include <pthread.h>
#endif

namespace gossip::detail {

/// What a thread runs.
struct ThreadBody {
  void (*run)(void* context);  ///< must not throw
  void* context;

  void operator()() const { run(context); }
};

#if defined(GOSSIP_GLIBC_THREADS)

/// What std::thread is, as far as it is used here, on what that is made of: to start that one, fifty
/// functions have to be compiled for each type of callable.
///
/// Thread safety: as std::thread.
class Thread {
 public:
  Thread() noexcept = default;
  /// Starts one. @throws std::system_error  none is to be had; std::bad_alloc
  explicit Thread(ThreadBody body) {
    auto* const given = new ThreadBody{body};
    if (const int error = pthread_create(&id_, nullptr, &begin, given)) {
      delete given;
      throw std::system_error{std::error_code{error, std::generic_category()}};
    }
    joinable_ = true;
  }
  Thread(Thread&& other) noexcept : id_{other.id_}, joinable_{other.joinable_} {
    other.joinable_ = false;
  }
  /// @pre it is not joinable
  Thread& operator=(Thread&& other) noexcept {
    if (joinable_) std::terminate();
    id_ = other.id_;
    joinable_ = other.joinable_;
    other.joinable_ = false;
    return *this;
  }
  /// @pre it is not joinable
  ~Thread() {
    if (joinable_) std::terminate();
  }

  [[nodiscard]] bool joinable() const noexcept { return joinable_; }
  /// True if this thread is it. @pre joinable
  [[nodiscard]] bool is_current() const noexcept { return pthread_equal(id_, pthread_self()) != 0; }
  /// @pre joinable
  /// @{
  void join() noexcept {
    pthread_join(id_, nullptr);
    joinable_ = false;
  }
  void detach() noexcept {
    pthread_detach(id_);
    joinable_ = false;
  }
  /// @}

 private:
  static void* begin(void* given) {
    const ThreadBody body = *static_cast<ThreadBody*>(given);
    delete static_cast<ThreadBody*>(given);
    body();
    return nullptr;
  }

  pthread_t id_{};
  bool joinable_ = false;
};

#else

/// What std::thread is, as far as it is used here.
///
/// Thread safety: as that.
class Thread {
 public:
  Thread() noexcept = default;
  /// Starts one. @throws std::system_error  none is to be had
  explicit Thread(ThreadBody body) : thread_{body} {}

  [[nodiscard]] bool joinable() const noexcept { return thread_.joinable(); }
  /// True if this thread is it. @pre joinable
  [[nodiscard]] bool is_current() const noexcept {
    return thread_.get_id() == std::this_thread::get_id();
  }
  /// @pre joinable
  /// @{
  void join() { thread_.join(); }
  void detach() { thread_.detach(); }
  /// @}

 private:
  std::thread thread_;
};

#endif

/// Starts a thread that calls `run(context)`.
/// @throws std::system_error  no thread is to be had
/// @throws std::bad_alloc
inline Thread start_thread(void (*run)(void* context), void* context) {
  return Thread{ThreadBody{run, context}};
}

}  // namespace gossip::detail
