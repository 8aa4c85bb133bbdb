// SPDX-License-Identifier: MIT
// Four services over Redis, or in memory: the services are the same.
#include <gossip/redis.hpp>

#include "../program.hpp"
#include "services.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr const char* usage = R"(usage: microservices [--memory | --port PORT] [--help]

Runs four services that talk by events: users, mail, notification, analytics.

  --memory     in this process alone
  --port PORT  over the Redis server on that port of this machine
  --help, -h   this

Without an option it starts a redis-server of its own on a free port, and stops it at the end.
)";

/// A redis-server for as long as the object lives.
class OwnServer {
 public:
  OwnServer() {
    // Somebody else may take the port in between.
    for (int attempt = 1; !starts(); ++attempt) {
      if (attempt == 5) {
        throw std::runtime_error{"redis-server does not start: is it installed? Or try --memory"};
      }
    }
  }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;
  ~OwnServer() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  bool starts() {
    port_ = free_port();
    process_ = ::fork();
    if (process_ == 0) {
      const std::string port = std::to_string(port_);
      ::execlp("redis-server", "redis-server", "--port", port.c_str(), "--bind", "127.0.0.1",
               "--save", "", "--logfile", "/dev/null", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    while (::waitpid(process_, nullptr, WNOHANG) == 0) {
      if (listens()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    // NOLINTNEXTLINE(bugprone-unused-return-value)
    ::bind(probe, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(probe);
    return ntohs(address.sin_port);
  }
  [[nodiscard]] bool listens() const {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(port_);
    const int result =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(probe);
    return result == 0;
  }

  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

/// Lets the services work, and says what they did.
/// @return  the program's exit code
template <class Bus>
int run(Bus& bus) {
  NotificationService notification{bus};
  MailService mail{bus};
  AnalyticsService analytics{bus};
  UserService users{bus};

  for (const char* name : {"alice", "bob", "carol"}) {
    if (const auto status = users.add(name); !status.ok()) {
      std::cerr << "microservices: " << status.what() << '\n';
      return 1;
    }
  }
  if (const auto status = users.remove("bob"); !status.ok()) {
    std::cerr << "microservices: " << status.what() << '\n';
    return 1;
  }

  // Over a network nothing tells when all has arrived: wait for what is known to come.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (analytics.total() < 7 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  bus.drain();

  auto mails = notification.mails();
  std::sort(mails.begin(), mails.end());
  for (const std::string& line : mails) std::cout << line << '\n';
  for (const auto& [type, count] : analytics.counts()) std::cout << count << " x " << type << '\n';
  return analytics.total() == 7 ? 0 : 1;
}

int over_redis(std::uint16_t port) {
  // [redis]
  gossip::redis::RedisOptions options;
  options.port = port;
  options.key_prefix = "microservices:";
  options.fail_fast = true;  // no server: say so now
  gossip::EventBus<gossip::redis::RedisProvider> bus{{.workers = 2}, options};
  // [/redis]
  return run(bus);
}

/// Does what the words of the command line say.
/// @return  the program's exit code
int obey(const std::vector<std::string_view>& words) {
  if (words.empty()) {
    const OwnServer server;
    std::cout << "on a redis-server of its own\n";
    return over_redis(server.port());
  }
  if (program::is_help(words[0])) {
    std::cout << usage;
    return 0;
  }
  std::string wrong;
  if (words[0] == "--memory" && words.size() == 1) {
    std::cout << "in memory\n";
    gossip::EventBus bus{{.workers = 2}};
    return run(bus);
  }
  if (words[0] == "--port" && words.size() == 1) {
    wrong = "--port needs a value";
  } else if (words[0] == "--port" && words.size() == 2) {
    std::uint16_t port = 0;
    const auto end = words[1].data() + words[1].size();
    const auto parsed = std::from_chars(words[1].data(), end, port);
    if (parsed.ec == std::errc{} && parsed.ptr == end && port != 0) return over_redis(port);
    wrong = "--port takes a number from 1 to 65535, not '" + std::string{words[1]} + "'";
  } else if (words[0] == "--memory" || words[0] == "--port") {
    wrong = "either --memory or --port PORT, and nothing else";
  } else {
    wrong = program::no_such_option(words[0], usage);
  }
  std::cerr << "microservices: " << wrong << "\ntry microservices --help\n";
  return 2;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string_view> words(arguments + 1, arguments + count);
  return program::finish("microservices", [&] { return obey(words); });
}
