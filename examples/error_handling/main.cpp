// SPDX-License-Identifier: MIT
// How processors report failure, how a middleware of one's own sees it, and what becomes of it.
#include <gossip/gossip.hpp>

#include "../catalogue.hpp"
#include "../program.hpp"

#include <chrono>
#include <iomanip>
#include <iostream>
#include <string_view>
#include <utility>

using namespace catalogue;
using namespace std::chrono_literals;
using gossip::Status;

namespace {

constexpr const char* usage = R"(usage: error_handling [--help]

Sends registrations to a processor: a valid one, one without a mail address, one with an invalid id,
and one for which the mail server is busy at first. Then shows each kind of error once.
)";

using std::cout;

// [processor]
/// A processor says what went wrong by a Status, or by an exception; the kind of error says what is
/// to be done about it.
Status send_welcome_mail(const gossip::Event<UserData>& event, gossip::Context& context) {
  const UserData& user = event.data();
  if (user.id.rfind("u-", 0) != 0) {
    return gossip::InvalidEventError{to_string(event.id()), "id", "does not begin with u-"};
  }
  if (user.mail.empty()) return gossip::ValidationError{"mail", "is empty"};
  if (user.name == "carol" && context.attempt() < 3) {
    return gossip::RetryableError{"the mail server is busy"};
  }
  cout << "  mail to " << user.mail << '\n';
  return {};
}
// [/processor]

// [middleware]
/// A middleware of one's own: explains every failure, in the words of its kind, and hands it on.
auto explain = [](auto next) {
  return [next = std::move(next)](const auto& event, gossip::Context& context) -> Status {
    Status status = next(event, context);
    if (status.ok()) return status;
    if (const auto* invalid = gossip::find_error<gossip::ValidationError>(status)) {
      cout << "  tell the user: " << invalid->field() << ' ' << invalid->message() << '\n';
    } else if (const auto* broken = gossip::find_error<gossip::InvalidEventError>(status)) {
      cout << "  tell the publisher: " << broken->field() << ' ' << broken->reason() << '\n';
    } else if (gossip::is_retryable(status)) {
      cout << "  attempt " << context.attempt() << " failed"
           << (context.deferred() ? ", another follows\n" : "\n");
    } else {
      cout << "  tell an engineer: " << status.what() << '\n';
    }
    return status;
  };
};
// [/middleware]

/// @return  false if the scenario could not be played
bool scenarios() {
  // [bus]
  int failures = 0;
  gossip::EventBus bus{{.workers = 1, .on_error = [&](const gossip::ErrorReport&) { ++failures; }}};
  // From the outside in: explain what comes out, try again, make exceptions errors.
  auto careful =
      explain | gossip::retry({.max_attempts = 3, .initial_delay = 1ms}) | gossip::recovery();
  auto mails = bus.subscribe(user_created, careful(send_welcome_mail), {.name = "mails"});
  // [/bus]
  const std::pair<const char*, UserData> users[]{
      {"valid", {.id = "u-1", .name = "alice", .mail = "alice@example.org"}},
      {"missing mail address", {.id = "u-2", .name = "bob", .mail = ""}},
      {"invalid id", {.id = "1", .name = "mallory", .mail = "mallory@example.org"}},
      {"retryable", {.id = "u-3", .name = "carol", .mail = "carol@example.org"}},
  };
  for (const auto& [name, user] : users) {
    cout << name << '\n';
    if (!bus.publish(user_created, user).ok()) return false;
    bus.drain();  // waits for further attempts too
  }
  cout << "the bus's error handler was told of " << failures << " failures\n\n";
  return failures == 2;
}

// [kinds]
/// One error of each kind, as processors make them.
Status error_number(int number) {
  const Status cause = gossip::TimeoutError{30s, "no answer"};
  switch (number) {
    case 1: return gossip::RetryableError{"the server is busy", cause.error()};
    case 2: return gossip::ValidationError{"mail", "is empty"};
    case 3: return gossip::ProcessingError{"no template for that language"};
    case 4: return gossip::TimeoutError{5s, "sending"};
    case 5: return gossip::FatalError{"the account is closed"};
    case 6: return gossip::TypeAssertionError{"UserData", "RoleData"};
    case 7: return gossip::NoDataError{"user"};
    case 8: return gossip::InvalidEventError{"e-17", "id", "does not begin with u-"};
    case 9: return gossip::UnsupportedEventTypeError{"auth.user.created", {"order.placed"}};
    default: return gossip::Errc::processing_failed;  // ready-made, allocates nothing
  }
}

/// All nine kinds have a predicate; it looks through the causes, too.
const char* kind_of(const Status& status) {
  if (gossip::is_fatal(status)) return "fatal";
  if (gossip::is_validation(status)) return "validation";
  if (gossip::is_retryable(status)) return "retryable";
  if (gossip::is_timeout(status)) return "timeout";
  if (gossip::is_type_assertion(status)) return "type assertion";
  if (gossip::is_no_data(status)) return "no data";
  if (gossip::is_invalid_event(status)) return "invalid event";
  if (gossip::is_unsupported_event_type(status)) return "unsupported event type";
  if (gossip::is_processing(status)) return "processing";
  return "another";
}
// [/kinds]

void nine_kinds() {
  constexpr gossip::EventType<int> wanted{"demo.error.wanted"};
  gossip::EventBus bus{{.workers = 1}};
  auto failing = bus.subscribe(wanted, error_number);
  for (int number = 1; number <= 9; ++number) {
    const gossip::SyncResult result = bus.publish_sync(wanted, number);
    const Status& status = result.errors.at(0).status;
    cout << std::left << std::setw(22) << kind_of(status)
         << (gossip::WorthRetrying{}(status) ? " worth retrying: yes  " : " worth retrying: no   ")
         << status.what() << '\n';
  }
}

}  // namespace

int main(int count, char** arguments) {
  return program::without_arguments("error_handling", usage, count, arguments, [] {
    const bool played = scenarios();
    nine_kinds();
    return played ? 0 : 1;
  });
}
