// SPDX-License-Identifier: MIT
// EXPECT-ERROR: nlohmann_json cannot write the payload
#include <gossip/json.hpp>

#include <string>

struct User {
  std::string name;
};

gossip::Status use(const User& user, std::string& bytes) {
  return gossip::JsonCodec::encode<User>(user, bytes);
}
