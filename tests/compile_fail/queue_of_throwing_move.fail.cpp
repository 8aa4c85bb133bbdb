// SPDX-License-Identifier: MIT
// EXPECT-ERROR: moving or destroying T must not throw
#include <gossip/gossip.hpp>

template <bool CannotThrow>
struct Value {
  Value() = default;
  Value(Value&&) noexcept(CannotThrow) {}
};

gossip::MpmcQueue<Value<false>> queue{8};
