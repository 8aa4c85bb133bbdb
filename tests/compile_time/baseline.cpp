// SPDX-License-Identifier: MIT
// What a program with threads includes anyway: the measure of cmake/checks/compile_time.sh.
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

int main() {
  std::mutex mutex;
  std::vector<std::function<void()>> work;
  auto text = std::make_shared<std::string>("text");
  std::thread thread([&] {
    const std::lock_guard lock(mutex);
    work.emplace_back([text] { text->clear(); });
  });
  thread.join();
  for (const auto& item : work) item();
}
