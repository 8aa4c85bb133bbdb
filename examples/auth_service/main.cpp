// SPDX-License-Identifier: MIT
// Accounts, and five who listen: welcome mails, login tracking, security, an audit log, metrics.
#include <gossip/gossip.hpp>

#include "services.hpp"

#include <atomic>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

namespace {

constexpr const char* usage = R"(usage: auth_service [--help]

Plays a day of an account service: two people sign up and log in, one changes the password, one is
locked out. Then shows who logged in, the audit log, and what the bus has counted.
)";

void show(const gossip::Statistics& stats) {
  std::puts("\nmetrics");
  for (const auto& type : stats.types) {
    std::printf("  %2u x %s\n", static_cast<unsigned>(type.dispatched),
                std::string{type.event_type}.c_str());
  }
  std::printf("  %u calls of processors, %u attempts repeated\n",
              static_cast<unsigned>(stats.delivered), static_cast<unsigned>(stats.deferred));
}

int run() {
  // [main]
  std::atomic<int> failures{0};
  gossip::EventBus bus{{.on_error = [&](const gossip::ErrorReport& report) {
    ++failures;
    std::fprintf(stderr, "auth_service: %s\n", std::string{report.status.what()}.c_str());
  }}};
  const WelcomeMails mails{bus};
  const SecurityMonitor security{bus};
  const LoginTracker tracker{bus};
  const AuditLog audit{bus};
  Accounts accounts{bus};
  // [/main]

  int number = 0;
  const auto request = [&](const std::string& what, auto&& answer) {
    std::string id{"req-"};
    id += std::to_string(++number);
    const bool granted = answer(id);
    bus.drain();  // so that it prints the same each time; a service would go on at once
    std::printf("%s, %s: %s\n", id.c_str(), what.c_str(), granted ? "yes" : "no");
  };
  for (const std::string name : {"alice", "bob"}) {
    request("sign up " + name,
            [&](const auto& id) { return accounts.sign_up(id, name, name + "'s secret"); });
  }
  request("log in alice",
          [&](const auto& id) { return accounts.log_in(id, "alice", "alice's secret"); });
  request("change alice's password", [&](const auto& id) {
    return accounts.change_password(id, "alice", "alice's secret", "a better secret");
  });
  for (const char* password : {"1234", "secret", "password", "bob's secret"}) {
    request("log in bob", [&](const auto& id) { return accounts.log_in(id, "bob", password); });
  }
  request("log in alice",
          [&](const auto& id) { return accounts.log_in(id, "alice", "a better secret"); });

  std::puts("\nlogins");
  for (const auto& [user, count] : tracker.logins()) {
    std::printf("  %s: %d\n", user.c_str(), count);
  }
  std::puts("\naudit log");
  for (const std::string& line : audit.lines()) std::printf("  %s\n", line.c_str());
  show(bus.stats());
  return bus.shutdown().clean() && failures == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::string_view{arguments[1]} == "--help")
    return std::fputs(usage, stdout) < 0;
  if (count > 1) return std::fputs(usage, stderr), 2;
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "auth_service: %s\n", error.what());
    return 1;
  }
}
