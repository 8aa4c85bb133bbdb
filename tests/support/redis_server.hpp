// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RedisServer: a redis-server on a free loopback port, for as long as the object lives.

#include <gossip/redis/options.hpp>

#include "support/loopback.hpp"
#include "support/wait.hpp"

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace gossip::test {

/// Starts redis-server in a temporary folder and stops it by its process id.
class RedisServer {
 public:
  /// @param arguments  more of them for redis-server, each its own word
  explicit RedisServer(std::vector<std::string> arguments = {})
      : arguments_{std::move(arguments)}, port_{free_port()} {
    char name[] = "/tmp/gossip-redis-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error{"no temporary folder"};
    folder_ = name;
    start();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// Options to talk to it, with short times; but it is not given up because the machine is busy.
  [[nodiscard]] redis::RedisOptions options() const {
    redis::RedisOptions options;
    options.port = port_;
    options.block = std::chrono::milliseconds{100};
    options.command_timeout = std::chrono::seconds{20};
    options.health_interval = std::chrono::milliseconds{300};
    options.back_off_initial = std::chrono::milliseconds{5};
    options.back_off_cap = std::chrono::milliseconds{100};
    return options;
  }

  /// Ends it at once, without a word to anybody.
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);  // reaches one that is paused, too
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  /// Starts it again on the same port. Streams are gone unless it was told to keep them.
  void restart() {
    kill();
    start();
  }
  /// Makes it silent, with its connections open.
  void pause() const { signal(SIGSTOP); }
  void resume() const { signal(SIGCONT); }

  /// Sends a command on a connection of its own, and waits for the answer.
  /// @return  its text or number as text; "nil"; for an array, its items joined by blanks
  std::string ask(const std::vector<std::string>& words) const {
    const std::unique_ptr<redisContext, void (*)(redisContext*)> context{
        redisConnect("127.0.0.1", port_), &redisFree};
    if (!context || context->err != 0) throw std::runtime_error{"cannot reach redis-server"};
    std::vector<const char*> parts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      parts.push_back(word.data());
      sizes.push_back(word.size());
    }
    auto* reply = static_cast<redisReply*>(redisCommandArgv(
        context.get(), static_cast<int>(words.size()), parts.data(), sizes.data()));
    if (reply == nullptr) throw std::runtime_error{"redis-server does not answer"};
    const std::string text = text_of(*reply);
    freeReplyObject(reply);
    return text;
  }

 private:
  /// To nobody if it does not run: to -1 would be to every process there is.
  void signal(int number) const {
    if (process_ > 0) ::kill(process_, number);
  }
  static std::string text_of(const redisReply& reply) {
    if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
    if (reply.type == REDIS_REPLY_NIL) return "nil";
    if (reply.type != REDIS_REPLY_ARRAY) return {reply.str, reply.len};
    std::string text;
    for (std::size_t i = 0; i < reply.elements; ++i) {
      if (i != 0) text += ' ';
      text += text_of(*reply.element[i]);
    }
    return text;
  }

  void start() {
    std::vector<std::string> words{"redis-server",
                                   "--port",
                                   std::to_string(port_),
                                   "--bind",
                                   "127.0.0.1",
                                   "--save",
                                   "",
                                   "--dir",
                                   folder_.string(),
                                   "--logfile",
                                   (folder_ / "log").string()};
    for (const std::string& argument : arguments_) words.push_back(argument);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    process_ = ::fork();
    if (process_ < 0) throw std::runtime_error{"cannot start redis-server"};
    if (process_ == 0) {
      for (int ours = 3; ours < 1024; ++ours) ::close(ours);  // so that they end when we close them
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
    bool ended = false;
    const auto over = [&] { return ended = ::waitpid(process_, nullptr, WNOHANG) != 0; };
    if (eventually([&] { return answers() || over(); }) && !ended) return;
    if (ended) process_ = -1;
    kill();
    throw std::runtime_error{"redis-server does not start (is it installed?): " + last_words()};
  }

  /// The end of its log.
  [[nodiscard]] std::string last_words() const {
    std::ifstream log{folder_ / "log"};
    std::string last;
    for (std::string line; std::getline(log, line);) last = line;
    return last;
  }
  /// True if it is ours that answers, and not another test's that has taken the port.
  [[nodiscard]] bool answers() const {
    try {
      return ask({"PING"}) == "PONG" &&
             ask({"INFO", "server"}).find("process_id:" + std::to_string(process_) + "\r") !=
                 std::string::npos;
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  const std::vector<std::string> arguments_;
  const std::uint16_t port_;
  std::filesystem::path folder_;
  pid_t process_ = -1;
};

}  // namespace gossip::test
