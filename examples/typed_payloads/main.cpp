// SPDX-License-Identifier: MIT
// Payloads and their types: what the compiler checks, what is checked at run time, and what one is
// told. The event types are those of catalogue.hpp.
#include <gossip/gossip.hpp>

#include "../catalogue.hpp"

#include <cstdio>
#include <string>
#include <string_view>

using namespace catalogue;

namespace {

constexpr const char* usage = R"(usage: typed_payloads [--help]

Shows what happens to payloads of the right type, of a wrong type, and to events without data.
)";

const char* text(const std::string& value) { return value.c_str(); }

void right_type(gossip::EventBus<>& bus) {
  std::puts("-- the right type");
  // [right_type]
  auto greet = bus.subscribe(user_created, [](const UserData& user) {  // the data, or the event
    std::printf("hello, %s\n", text(user.name));
  });
  bus.publish(user_created, {.id = "u-1", .name = "alice", .mail = "alice@example.org"});
  // bus.publish(user_created, RoleData{"u-1", "admin"});        does not compile
  // bus.subscribe(user_created, [](const RoleData& role) {});   does not compile
  // [/right_type]
  bus.drain();
}

void any_type(gossip::EventBus<>& bus) {
  std::puts("-- events of any type");
  // [any_type]
  auto permissions = bus.subscribe("permission.>", [](const gossip::AnyEvent& event) {
    // Ask for one of several types ...
    if (const auto* role = event.get_if<RoleData>()) {
      std::printf("%s: %s\n", text(std::string{event.type()}), text(role->role));
    } else {
      std::printf("%s: not about roles\n", text(std::string{event.type()}));
    }
  });
  // [/any_type]
  bus.publish(role_granted, {.user_id = "u-1", .role = "admin"});
  bus.publish(access_denied, {.user_id = "u-2", .resource = "/payroll"});
  bus.drain();
}

void wrong_type(gossip::EventBus<>& bus) {
  std::puts("-- a wrong type, and no data");
  // [wrong_type]
  // ... or insist on one: then a wrong type, and an event without data, are errors like any other.
  auto members = bus.subscribe("organisation.>", [](const gossip::AnyEvent& event) {
    const auto& member = event.get<MemberData>();
    std::printf("%s is one of us\n", text(member.user_id));
  });
  for (const gossip::SyncResult& result :
       {bus.publish_sync(member_added, {.organisation_id = "o-1", .user_id = "u-1"}),
        bus.publish_sync(team_created, {.id = "t-1", .name = "gardeners"}),
        bus.publish_sync(report_due)}) {
    if (result.ok()) continue;
    const gossip::Status& status = result.errors.at(0).status;
    if (const auto* wrong = gossip::find_error<gossip::TypeAssertionError>(status)) {
      std::printf("expected %s, got %s (%s)\n", text(wrong->expected()), text(wrong->actual()),
                  text(wrong->message()));
    } else if (const auto* none = gossip::find_error<gossip::NoDataError>(status)) {
      std::printf("no %s (%s)\n", text(none->field()), text(none->message()));
    }
  }
  // [/wrong_type]
}

void one_name_two_types(gossip::EventBus<>& bus) {
  std::puts("-- one name, two types");
  // [one_name_two_types]
  // Two catalogues that disagree about a name: the first that the bus meets counts.
  constexpr gossip::EventType<int> disagreeing{"auth.user.created"};
  const gossip::Status status = bus.publish(disagreeing, 1);
  std::printf("%s\n", text(std::string{status.what()}));
  // [/one_name_two_types]
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::string_view{arguments[1]} == "--help")
    return std::fputs(usage, stdout) < 0;
  if (count > 1) return std::fputs(usage, stderr), 2;
  gossip::EventBus bus{{.workers = 1}};  // one, so that it prints the same each time
  right_type(bus);
  any_type(bus);
  wrong_type(bus);
  one_name_two_types(bus);
}
