// SPDX-License-Identifier: MIT
// The main function of every test program. A skipped test says why, and fails where CI is set.
#include <catch2/catch_session.hpp>
#include <catch2/catch_test_case_info.hpp>
#include <catch2/interfaces/catch_interfaces_reporter.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

int skipped_cases = 0;

class SkipListener : public Catch::EventListenerBase {
 public:
  using Catch::EventListenerBase::EventListenerBase;

  void assertionEnded(const Catch::AssertionStats& stats) override {
    const Catch::AssertionResult& result = stats.assertionResult;
    if (result.getResultType() == Catch::ResultWas::ExplicitSkip)
      reason_ = std::string(result.getMessage());
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (stats.totals.testCases.skipped == 0) return;
    ++skipped_cases;
    std::cerr << "skipped: " << stats.testInfo->name << ": "
              << (reason_.empty() ? "no reason given" : reason_) << '\n';
    reason_.clear();
  }

 private:
  std::string reason_;
};

CATCH_REGISTER_LISTENER(SkipListener)

bool in_ci() {
  const char* value = std::getenv("CI");
  return value != nullptr && std::string_view{value} == "true";
}

}  // namespace

int main(int argc, char** argv) {
  const int result = Catch::Session().run(argc, argv);
  if (skipped_cases > 0 && in_ci()) {
    std::cerr << skipped_cases << " skipped, which CI does not accept\n";
    return 1;
  }
  return result;
}
