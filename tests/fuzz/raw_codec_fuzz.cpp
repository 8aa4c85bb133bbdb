// SPDX-License-Identifier: MIT
// The input is the bytes of a payload. What is read is written as the same bytes.
#include <gossip/core/raw_codec.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

struct Order {
  std::int32_t id;
  std::int32_t count;
  double price;
};

template <class T>
void check(std::string_view input) {
  std::optional<T> data;
  if (!gossip::RawCodec::decode<T>(input, data).ok()) return;
  std::string bytes;
  if (!data || !gossip::RawCodec::encode<T>(*data, bytes).ok() || bytes != input) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  check<Order>(input);
  check<std::int32_t>(input);
  return 0;
}
