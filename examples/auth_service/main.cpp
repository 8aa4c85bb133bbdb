// SPDX-License-Identifier: MIT
// Accounts, and who listens to them: welcome mails, login tracking, security, an audit log. And what
// the bus has counted meanwhile.
#include <gossip/gossip.hpp>

#include "../program.hpp"
#include "services.hpp"

#include <atomic>
#include <iomanip>
#include <iostream>
#include <string>

namespace {

constexpr const char* usage = R"(usage: auth_service [--help]

Plays a day of an account service: two people sign up and log in, one changes the password, one is
locked out. Then shows who logged in, the audit log, and what the bus has counted.
)";

using std::cout;

void show(const gossip::Statistics& stats) {
  cout << "\nmetrics\n";
  for (const auto& type : stats.types) {
    cout << std::setw(4) << type.dispatched << " x " << type.event_type << '\n';
  }
  cout << "  " << stats.delivered << " calls of processors, " << stats.deferred
       << " attempts repeated\n";
}

int run() {
  // [main]
  std::atomic<int> failures{0};
  // One worker, so that it prints the same each time; a service would leave that out.
  gossip::EventBus bus{{.workers = 1, .on_error = [&](const gossip::ErrorReport& report) {
                          ++failures;
                          std::cerr << "auth_service: " << report.status.what() << '\n';
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
    cout << id << ", " << what << (granted ? ": yes\n" : ": no\n");
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

  cout << "\nlogins\n";
  for (const auto& [user, count] : tracker.logins()) {
    cout << "  " << user << ": " << count << '\n';
  }
  cout << "\naudit log\n";
  for (const std::string& line : audit.lines()) cout << "  " << line << '\n';
  show(bus.stats());
  return bus.shutdown().clean() && failures == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  return program::without_arguments("auth_service", usage, count, arguments, run);
}
