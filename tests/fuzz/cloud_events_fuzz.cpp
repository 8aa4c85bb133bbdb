// SPDX-License-Identifier: MIT
// The input is a cloud event. What is read can be written, and what is written stays.
#include <gossip/redis/cloud_events.hpp>

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
  if (!gossip::redis::decode_cloud_event(input, event).ok()) return 0;
  require(!event.type.empty() && !event.id.empty());
  std::string text;
  if (!gossip::redis::encode_cloud_event(event, "s", text).ok()) {
    // Names of attributes are read more freely than written; so is "JSON" in Base64.
    event.metadata = {};
    if (gossip::redis::is_json_media_type(event.content_type)) event.data = "null";
    text.clear();
    require(gossip::redis::encode_cloud_event(event, "s", text).ok());
  }
  gossip::redis::WireEvent again;
  require(gossip::redis::decode_cloud_event(text, again).ok());
  require(again.type == event.type && again.time_ns == event.time_ns);
  require(again.metadata.size() == event.metadata.size());
  std::string same;
  require(gossip::redis::encode_cloud_event(again, "s", same).ok());
  require(same == text);
  return 0;
}
