// SPDX-License-Identifier: MIT
#include <gossip/json.hpp>

#include <string>

struct User {
  std::string name;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(User, name)
};

gossip::Status use(const User& user, std::string& bytes) {
  return gossip::JsonCodec::encode<User>(user, bytes);
}
