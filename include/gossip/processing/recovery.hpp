// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// recovery: turns what a processor throws into the error that it returns. Layer: processing.

#include <gossip/core/context.hpp>
#include <gossip/core/status.hpp>
#include <gossip/processing/failure.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <utility>

namespace gossip {
namespace detail {

/// A processor made by recovery().
template <class Next>
class Recovering {
 public:
  static constexpr const char* middleware_name = "recovery";
  using wrapped_type = Next;

  constexpr explicit Recovering(Next next) : next_(std::move(next)) {}

  template <class E>
    requires(Handler<Next, E>)
  Status operator()(const E& event, Context& context) noexcept {
    return handle_caught(next_, event, context);
  }

 private:
  Next next_;
};

class Recovery : public MiddlewareBase {
 public:
  template <MaybeCallable P>
  [[nodiscard]] constexpr auto operator()(P next) const {
    return Recovering<P>{std::move(next)};
  }
};

}  // namespace detail

/// A middleware that returns what its processor throws as an error: a gossip::Error with its kind,
/// anything else as a ProcessingError whose origin() is the exception. Never as success. So whatever
/// is around it sees values only.
///
/// A bus does the same with what reaches it, so a worker survives without this; use it to give the
/// middleware outside of it, a user's own above all, values instead of exceptions.
///
/// Example: examples/processing/composing.cpp.
///
/// @throws             nothing, nor does the processor it makes
/// @par Blocking       never by itself
/// @par Thread safety  the processor it makes may be called by any number of threads
/// @par Complexity     O(1), no allocation unless the processor throws
[[nodiscard]] constexpr detail::Recovery recovery() noexcept { return {}; }

}  // namespace gossip
