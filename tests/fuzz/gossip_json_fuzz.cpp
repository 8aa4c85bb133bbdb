// SPDX-License-Identifier: MIT
// The input is an envelope. What is read can be written, and what is written stays.
#include <gossip/redis/gossip_json.hpp>

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
  gossip::redis::WireEvent event;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  if (!gossip::redis::decode_gossip_json(input, event).ok()) return 0;
  require(!event.type.empty() && event.id.empty() && !event.data.empty());
  std::string text;
  require(gossip::redis::encode_gossip_json(event, text).ok());
  gossip::redis::WireEvent again;
  require(gossip::redis::decode_gossip_json(text, again).ok());
  require(again.type == event.type && again.time_ns == event.time_ns);
  require(again.metadata.size() == event.metadata.size());
  std::string same;
  require(gossip::redis::encode_gossip_json(again, same).ok());
  require(same == text);
  return 0;
}
