// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The command that publishes an event, in its wire form. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/status.hpp>
#include <gossip/json/json_payload.hpp>
#include <gossip/redis/compression.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/resp.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/wire_event.hpp>
#include <gossip/redis/wire_text.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// A WireEvent that borrows its parts, so that publishing copies none of them but onto the wire.
struct WireView {
  std::string_view id;                 ///< the event's identity
  std::string_view type;               ///< the event type's name
  std::int64_t time_ns = 0;            ///< when // nanoseconds since the Unix epoch
  std::string_view content_type;       ///< of `data`
  std::string_view data;               ///< the encoded payload
  const Metadata* metadata = nullptr;  ///< null: none
};

/// Appends what encode_fields() makes of the event, each name and value as a bulk string.
class FieldsOnWire {
 public:
  /// @param compress_above  as encode_fields() has it
  FieldsOnWire(const WireView& event, std::size_t compress_above)
      : event_{event}, data_{event.data}, time_{event.time_ns} {
    if (compress_above != 0 && data_.size() >= compress_above && deflate_bytes(data_, deflated_)) {
      data_ = deflated_;
      fields_of_data_ = 2;
    }
  }
  FieldsOnWire(const FieldsOnWire&) = delete;
  FieldsOnWire& operator=(const FieldsOnWire&) = delete;
  ~FieldsOnWire() = default;

  /// How many bulk strings append() writes.
  [[nodiscard]] std::size_t count() const noexcept {
    return (4 + fields_of_data_ + (has_metadata() ? event_.metadata->size() : 0)) * 2;
  }
  /// How many bytes append() writes, metadata aside.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t size = deflated() ? bulk_size(16) + bulk_size(deflate_coding.size()) : 0;
    size += bulk_size(2) + 3 * bulk_size(4) + bulk_size(12) + bulk_size(data_.size());
    size += bulk_size(event_.id.size()) + bulk_size(event_.type.size());
    return size + bulk_size(time_.text().size()) + bulk_size(event_.content_type.size());
  }
  /// True if there is metadata.
  [[nodiscard]] bool has_metadata() const noexcept {
    return event_.metadata != nullptr && !event_.metadata->empty();
  }

  /// @return  a ValidationError if a metadata text is not UTF-8, or there are too many
  Status append(std::string& wire) const {
    append_bulks(wire, {"id", event_.id, "type", event_.type, "time", time_.text(), "content-type",
                        event_.content_type});
    if (deflated()) append_bulks(wire, {"content-encoding", deflate_coding});
    append_bulks(wire, {"data"});
    append_bulk(wire, data_);
    return has_metadata() ? append_metadata(wire, *event_.metadata) : Status{};
  }

 private:
  [[nodiscard]] bool deflated() const noexcept { return fields_of_data_ == 2; }
  static Status append_metadata(std::string& wire, const Metadata& metadata) {
    if (metadata.size() > max_metadata) return ValidationError{"metadata", "too many entries"};
    return gossip::detail::json_status([&]() -> Status {
      std::string name;
      for (const auto& [key, value] : metadata) {
        name = "m:";
        name += key;
        append_bulk(wire, name);
        append_bulk(wire, json_of_metadata(value).dump());
      }
      return {};
    });
  }

  const WireView& event_;
  std::string deflated_;
  std::string_view data_;
  const Digits time_;
  std::size_t fields_of_data_ = 1;
};

/// Appends the command that publishes the event: XADD to its stream, or PUBLISH to its channel.
/// @param key  of the stream, or the channel
/// @return     what the format reports; a ValidationError that names the field. `wire` is of no use then
/// @throws     std::bad_alloc
/// @par Thread safety any thread
/// @par Complexity linear; one allocation where there is neither metadata nor compression
inline Status append_publish(const RedisOptions& options, std::string_view key,
                             const WireView& event, std::string& wire) {
  const bool streams = options.delivery == Delivery::streams;
  if (!streams && options.format != WireFormat::stream_fields) {
    WireEvent whole{std::string{event.id},           std::string{event.type}, event.time_ns,
                    std::string{event.content_type}, std::string{event.data}, {}};
    if (event.metadata != nullptr) whole.metadata = *event.metadata;
    std::string text;
    if (Status status = encode_text(options, whole, text); !status.ok()) return status;
    append_head(wire, '*', 3);
    append_bulks(wire, {"PUBLISH", key});
    append_bulk(wire, text);
    return {};
  }
  const FieldsOnWire fields{event, options.compress_above};
  if (streams) {
    const bool bounded = options.stream_max_length != 0;
    wire.reserve(wire.size() + fields.size() + key.size() + 128);
    append_head(wire, '*', fields.count() + (bounded ? 6 : 3));
    append_bulks(wire, {"XADD", key});
    if (bounded) append_bulks(wire, {"MAXLEN", "~", Digits{options.stream_max_length}.text()});
    append_bulks(wire, {"*"});
    return fields.append(wire);
  }
  const std::size_t size = head_size(fields.count()) + fields.size();
  if (!fields.has_metadata()) {  // then the size of the text is known before the text
    wire.reserve(wire.size() + size + key.size() + 64);
    append_head(wire, '*', 3);
    append_bulks(wire, {"PUBLISH", key});
    append_head(wire, '$', size);
    append_head(wire, '*', fields.count());
    if (Status status = fields.append(wire); !status.ok()) return status;
    wire.append("\r\n", 2);
    return {};
  }
  std::string text;
  text.reserve(size);
  append_head(text, '*', fields.count());
  if (Status status = fields.append(text); !status.ok()) return status;
  wire.reserve(wire.size() + text.size() + key.size() + 64);
  append_head(wire, '*', 3);
  append_bulks(wire, {"PUBLISH", key});
  append_bulk(wire, text);
  return {};
}

}  // namespace gossip::redis
