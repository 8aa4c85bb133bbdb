// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How payloads become JSON values, for the codecs of nlohmann_json. Layer: json.

#include <gossip/core/error.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gossip {

/// The deepest nesting that the JSON, CBOR and MessagePack codecs read; deeper input is refused before
/// it can exhaust a stack. // levels
inline constexpr std::size_t max_json_depth = 64;

namespace detail {

/// Calls `work`, which returns a Status, and makes a Status of what nlohmann_json throws, and of what
/// the user's own conversions throw.
template <class Work>
Status json_status(Work&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const Error&) {
    return status_of_current_exception();
  } catch (const std::exception& error) {
    return ValidationError{"data", error.what()};
  }
}

/// The payload as a JSON value; null for a payload of type void.
template <class T>
nlohmann::json json_of(const StoredPayload<T>& data) {
  if constexpr (std::is_void_v<T>) {
    return nullptr;
  } else if constexpr (requires { nlohmann::json(data); }) {
    return nlohmann::json(data);
  } else {
    static_assert(std::is_void_v<T>,
                  "nlohmann_json cannot write the payload: it needs to_json(), one of the macros "
                  "NLOHMANN_DEFINE_TYPE_..., or another codec");
  }
}

/// The payload that a JSON value stands for. A type that is not std::optional or a pointer refuses
/// null, and so does not become an empty event.
/// @throws what the conversion throws
template <class T>
Status payload_of(const nlohmann::json& value, std::optional<StoredPayload<T>>& data) {
  if constexpr (std::is_void_v<T>) {
    if (!value.is_null()) return ValidationError{"data", "there is data; expected: null"};
    data.emplace();
  } else if constexpr (requires { value.template get<T>(); }) {
    data.emplace(value.template get<T>());
  } else {
    static_assert(std::is_void_v<T>,
                  "nlohmann_json cannot read the payload: it needs from_json(), one of the macros "
                  "NLOHMANN_DEFINE_TYPE_..., or another codec");
  }
  return {};
}

/// Reads one value with a SAX parser that refuses depth beyond max_json_depth.
class DepthLimit : public nlohmann::detail::json_sax_dom_parser<nlohmann::json> {
  using Parser = nlohmann::detail::json_sax_dom_parser<nlohmann::json>;

 public:
  explicit DepthLimit(nlohmann::json& result) : Parser{result, true} {}

  bool start_object(std::size_t elements) { return deeper() && Parser::start_object(elements); }
  bool end_object() { return --depth_, Parser::end_object(); }
  bool start_array(std::size_t elements) { return deeper() && Parser::start_array(elements); }
  bool end_array() { return --depth_, Parser::end_array(); }

 private:
  bool deeper() {
    if (++depth_ <= max_json_depth) return true;
    throw ValidationError{"data",
                          "nested deeper than " + std::to_string(max_json_depth) + " levels"};
  }

  std::size_t depth_ = 0;
};

/// Reads bytes of one of the formats that nlohmann_json knows.
/// @return  the value, or why there is none
inline Status read_json(std::string_view bytes, nlohmann::json::input_format_t format,
                        nlohmann::json& value) {
  return json_status([&]() -> Status {
    DepthLimit parser{value};
    const char* begin = bytes.data();
    if (!nlohmann::json::sax_parse(begin, begin + bytes.size(), &parser, format)) {
      return ValidationError{"data", "malformed"};
    }
    return {};
  });
}

}  // namespace detail
}  // namespace gossip
