// SPDX-License-Identifier: MIT
// Payloads and their types: what the compiler checks, what is checked at run time, and what one is
// told. The event types are those of catalogue.hpp.
#include <gossip/gossip.hpp>

#include "../catalogue.hpp"
#include "../program.hpp"

#include <iostream>

using namespace catalogue;

namespace {

constexpr const char* usage = R"(usage: typed_payloads [--help]

Shows what happens to payloads of the right type, of a wrong type, and to events without data.
)";

using std::cout;

void right_type(gossip::EventBus<>& bus) {
  cout << "-- the right type\n";
  // [right_type]
  auto greet = bus.subscribe(user_created, [](const UserData& user) {  // the data, or the event
    cout << "hello, " << user.name << '\n';
  });
  bus.publish(user_created, {.id = "u-1", .name = "alice", .mail = "alice@example.org"});
  // bus.publish(user_created, RoleData{"u-1", "admin"});        does not compile
  // bus.subscribe(user_created, [](const RoleData& role) {});   does not compile
  // [/right_type]
  bus.drain();
}

void any_type(gossip::EventBus<>& bus) {
  cout << "-- events of any type\n";
  // [any_type]
  auto permissions = bus.subscribe("permission.>", [](const gossip::AnyEvent& event) {
    // Ask for one of several types ...
    if (const auto* role = event.get_if<RoleData>()) {
      cout << event.type() << ": " << role->role << '\n';
    } else {
      cout << event.type() << ": not about roles\n";
    }
  });
  // [/any_type]
  bus.publish(role_granted, {.user_id = "u-1", .role = "admin"});
  bus.publish(access_denied, {.user_id = "u-2", .resource = "/payroll"});
  bus.drain();
}

void wrong_type(gossip::EventBus<>& bus) {
  cout << "-- a wrong type, and no data\n";
  // [wrong_type]
  // ... or insist on one: then a wrong type, and an event without data, are errors like any other.
  auto members = bus.subscribe("organisation.>", [](const gossip::AnyEvent& event) {
    const auto& member = event.get<MemberData>();
    cout << member.user_id << " is one of us\n";
  });
  for (const gossip::SyncResult& result :
       {bus.publish_sync(member_added, {.organisation_id = "o-1", .user_id = "u-1"}),
        bus.publish_sync(team_created, {.id = "t-1", .name = "gardeners"}),
        bus.publish_sync(report_due)}) {
    if (result.ok()) continue;
    const gossip::Status& status = result.errors.at(0).status;
    if (const auto* wrong = gossip::find_error<gossip::TypeAssertionError>(status)) {
      cout << "expected " << wrong->expected() << ", got " << wrong->actual() << " ("
           << wrong->message() << ")\n";
    } else if (const auto* none = gossip::find_error<gossip::NoDataError>(status)) {
      cout << "no " << none->field() << " (" << none->message() << ")\n";
    }
  }
  // [/wrong_type]
}

void one_name_two_types(gossip::EventBus<>& bus) {
  cout << "-- one name, two types\n";
  // [one_name_two_types]
  // Two catalogues that disagree about a name: the first that the bus meets counts.
  constexpr gossip::EventType<int> disagreeing{"auth.user.created"};
  const gossip::Status status = bus.publish(disagreeing, 1);
  cout << status.what() << '\n';
  // [/one_name_two_types]
}

}  // namespace

int main(int count, char** arguments) {
  return program::without_arguments("typed_payloads", usage, count, arguments, [] {
    gossip::EventBus bus{{.workers = 1}};  // one, so that it prints the same each time
    right_type(bus);
    any_type(bus);
    wrong_type(bus);
    one_name_two_types(bus);
    return 0;
  });
}
