// SPDX-License-Identifier: MIT
// Shows the form; to be deleted when the first real case arrives.
#include <concepts>

template <typename T>
T twice(T value) {
  static_assert(std::integral<T>, "a sample needs an integer");
  return value + value;
}

int use() { return twice(1); }
