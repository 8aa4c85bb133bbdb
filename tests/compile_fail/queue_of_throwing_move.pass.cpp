// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

template <bool CannotThrow>
struct Value {
  Value() = default;
  Value(Value&&) noexcept(CannotThrow) {}
};

gossip::MpmcQueue<Value<true>> queue{8};
