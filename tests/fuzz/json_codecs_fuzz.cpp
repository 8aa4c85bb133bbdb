// SPDX-License-Identifier: MIT
// The first byte chooses JSON, CBOR or MessagePack; the rest is a payload in it. What is read can be
// written and read again.
#include <gossip/json/codecs.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

template <class Codec, class T>
void check(std::string_view input) {
  std::optional<T> data;
  if (!Codec::template decode<T>(input, data).ok()) return;
  std::string bytes;
  // A text of CBOR or MessagePack need not be UTF-8, which the writer refuses.
  if (!data || !Codec::template encode<T>(*data, bytes).ok()) return;
  std::optional<T> again;
  if (!Codec::template decode<T>(bytes, again).ok() || *again != *data) std::abort();
}

template <class Codec>
void check_all(std::string_view input) {
  check<Codec, std::map<std::string, std::vector<std::int64_t>>>(input);
  check<Codec, std::string>(input);
  check<Codec, bool>(input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 3) {
    case 0: check_all<gossip::JsonCodec>(input); break;
    case 1: check_all<gossip::CborCodec>(input); break;
    default: check_all<gossip::MessagePackCodec>(input); break;
  }
  return 0;
}
