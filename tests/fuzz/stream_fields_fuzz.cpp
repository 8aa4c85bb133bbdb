// SPDX-License-Identifier: MIT
// The input is framed fields, and lines `name=value`. What is read can be written and comes back.
#include <gossip/redis/framed_fields.hpp>
#include <gossip/redis/stream_fields.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using gossip::redis::Fields;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const Fields& fields) {
  gossip::redis::WireEvent event;
  if (!gossip::redis::decode_fields(fields, event, 100'000).ok()) return;
  require(!event.type.empty());
  Fields written;
  require(gossip::redis::encode_fields(event, written, 64).ok());
  gossip::redis::WireEvent again;
  require(gossip::redis::decode_fields(written, again, 100'000).ok());
  require(again == event);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  Fields fields;
  if (gossip::redis::unframe_fields(input, fields).ok()) {
    std::string text;
    gossip::redis::frame_fields(fields, text);
    Fields again;
    require(gossip::redis::unframe_fields(text, again).ok() && again == fields);
    check(fields);
  }
  fields.clear();
  for (std::size_t at = 0; at < size;) {
    const auto end = std::min(input.find('\n', at), size);
    const std::string_view line = input.substr(at, end - at);
    const auto mark = std::min(line.find('='), line.size());
    fields.emplace_back(line.substr(0, mark), line.substr(std::min(mark + 1, line.size())));
    at = end + 1;
  }
  check(fields);
  return 0;
}
