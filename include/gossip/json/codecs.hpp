// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// JsonCodec, CborCodec, MessagePackCodec: codecs for whatever nlohmann_json can convert.
/// Layer: json.

#include <gossip/core/codec.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>
#include <gossip/json/json_payload.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gossip {
namespace detail {

/// What the three have in common. `Format` has `content_type`, `input` and `write(value, bytes)`.
template <class Format>
struct NlohmannCodec {
  static constexpr std::string_view content_type = Format::content_type;

  template <class T>
  static Status encode(const StoredPayload<T>& data, std::string& bytes) {
    return json_status([&]() -> Status {
      Format::write(json_of<T>(data), bytes);
      return {};
    });
  }
  template <class T>
  static Status decode(std::string_view bytes, std::optional<StoredPayload<T>>& data) {
    nlohmann::json value;
    if (Status status = read_json(bytes, Format::input, value); !status.ok()) return status;
    return json_status([&] { return payload_of<T>(value, data); });
  }
};

struct JsonFormat {
  static constexpr std::string_view content_type = "application/json";
  static constexpr auto input = nlohmann::json::input_format_t::json;
  static void write(const nlohmann::json& value, std::string& bytes) { bytes += value.dump(); }
};
struct CborFormat {
  static constexpr std::string_view content_type = "application/cbor";
  static constexpr auto input = nlohmann::json::input_format_t::cbor;
  static void write(const nlohmann::json& value, std::string& bytes) {
    nlohmann::json::to_cbor(value, nlohmann::detail::output_adapter<char>{bytes});
  }
};
struct MessagePackFormat {
  static constexpr std::string_view content_type = "application/msgpack";
  static constexpr auto input = nlohmann::json::input_format_t::msgpack;
  static void write(const nlohmann::json& value, std::string& bytes) {
    nlohmann::json::to_msgpack(value, nlohmann::detail::output_adapter<char>{bytes});
  }
};

}  // namespace detail

/// JSON text (RFC 8259). A payload type needs nlohmann_json's `to_json` and `from_json`, or one of its
/// macros. Text that is not UTF-8 is refused. Input nested deeper than max_json_depth is refused.
///
/// Thread safety: any thread.
struct JsonCodec : detail::NlohmannCodec<detail::JsonFormat> {};
/// The same values as CBOR (RFC 8949).
struct CborCodec : detail::NlohmannCodec<detail::CborFormat> {};
/// The same values as MessagePack.
struct MessagePackCodec : detail::NlohmannCodec<detail::MessagePackFormat> {};

static_assert(Codec<JsonCodec, int> && Codec<CborCodec, std::string> &&
              Codec<MessagePackCodec, void>);

}  // namespace gossip
