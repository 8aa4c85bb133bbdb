// SPDX-License-Identifier: MIT
// The input is what claims to be deflated. No more than the limit comes of it, and what is deflated
// comes back.
#include <gossip/redis/compression.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  std::string bytes;
  for (const std::size_t most : {std::size_t{0}, std::size_t{100}, std::size_t{100'000}}) {
    if (gossip::redis::inflate_bytes(input, most, bytes).ok()) require(bytes.size() <= most);
    require(bytes.capacity() <= 3 * most + 16'384);
  }
  std::string deflated;
  if (!gossip::redis::deflate_bytes(input, deflated)) return 0;
  require(gossip::redis::inflate_bytes(deflated, size, bytes).ok() && bytes == input);
  require(!gossip::redis::inflate_bytes(deflated, size - 1, bytes).ok());
  return 0;
}
