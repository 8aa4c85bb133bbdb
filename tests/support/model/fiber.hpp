// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Fiber: a thread of control that runs only when it is told to, for the model checker.

#include "support/sanitizers.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <ucontext.h>

#if defined(GOSSIP_TEST_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(GOSSIP_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace gossip::test::model {

/// A stack with its own thread of control; one made by the default constructor stands for the
/// thread that is running already. The sanitizers are told of every switch.
class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { forget(); }

  /// Prepares to run `body` from its beginning, at the next switch. `body` must not return.
  void begin(std::function<void()> body) {
    if (!stack_) stack_ = std::make_unique<std::array<std::byte, stack_bytes>>();
    forget();
    body_ = std::move(body);
#if defined(GOSSIP_TEST_ADDRESS_SANITIZER)
    __asan_unpoison_memory_region(stack_->data(), stack_bytes);
#endif
#if defined(GOSSIP_THREAD_SANITIZER)
    sanitizer_fiber_ = __tsan_create_fiber(0);
#endif
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_->data();
    context_.uc_stack.ss_size = stack_bytes;
    context_.uc_link = nullptr;
    makecontext(&context_, &Fiber::enter, 0);
  }

  /// Leaves `from`, which is running, and goes on with `to`.
  /// @param last  `from` will never be resumed
  static void change(Fiber& from, Fiber& to, [[maybe_unused]] bool last = false) {
    entering = &to;
#if defined(GOSSIP_TEST_ADDRESS_SANITIZER)
    leaving = &from;
    __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack_, to.bottom_, to.bytes_);
#endif
#if defined(GOSSIP_THREAD_SANITIZER)
    if (from.sanitizer_fiber_ == nullptr) from.sanitizer_fiber_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to.sanitizer_fiber_, 0);
#endif
    swapcontext(&from.context_, &to.context_);
    from.arrived();
  }

 private:
  static constexpr std::size_t stack_bytes = std::size_t{1} << 16U;

  static void enter() {
    Fiber& self = *entering;
    self.arrived();
    self.body_();
  }

  void arrived() {
#if defined(GOSSIP_TEST_ADDRESS_SANITIZER)
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &bytes);
    fake_stack_ = nullptr;
    leaving->bottom_ = bottom;
    leaving->bytes_ = bytes;
#endif
  }

  void forget() {
    body_ = nullptr;
#if defined(GOSSIP_TEST_ADDRESS_SANITIZER)
    fake_stack_ = nullptr;
    bottom_ = stack_ ? stack_->data() : nullptr;
    bytes_ = stack_bytes;
#endif
#if defined(GOSSIP_THREAD_SANITIZER)
    if (stack_ && sanitizer_fiber_ != nullptr) __tsan_destroy_fiber(sanitizer_fiber_);
    sanitizer_fiber_ = nullptr;
#endif
  }

  static inline thread_local Fiber* entering = nullptr;
  ucontext_t context_{};
  std::function<void()> body_;
  std::unique_ptr<std::array<std::byte, stack_bytes>> stack_;
#if defined(GOSSIP_TEST_ADDRESS_SANITIZER)
  static inline thread_local Fiber* leaving = nullptr;
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t bytes_ = 0;
#endif
#if defined(GOSSIP_THREAD_SANITIZER)
  void* sanitizer_fiber_ = nullptr;
#endif
};

}  // namespace gossip::test::model
