// SPDX-License-Identifier: MIT
// EXPECT-ERROR: nlohmann_json cannot read the payload
#include <gossip/json.hpp>

#include <optional>
#include <string>
#include <string_view>

struct User {
  std::string name;
};
inline void to_json(nlohmann::json& json, const User& user) { json = user.name; }

gossip::Status use(std::string_view bytes, std::optional<User>& user) {
  return gossip::JsonCodec::decode<User>(bytes, user);
}
