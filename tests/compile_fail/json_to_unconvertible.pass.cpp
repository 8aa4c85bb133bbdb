// SPDX-License-Identifier: MIT
#include <gossip/json.hpp>

#include <optional>
#include <string>
#include <string_view>

struct User {
  std::string name;
};
inline void to_json(nlohmann::json& json, const User& user) { json = user.name; }
inline void from_json(const nlohmann::json& json, User& user) { json.get_to(user.name); }

gossip::Status use(std::string_view bytes, std::optional<User>& user) {
  return gossip::JsonCodec::decode<User>(bytes, user);
}
