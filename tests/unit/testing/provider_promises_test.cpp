// SPDX-License-Identifier: MIT
#include <gossip/testing/provider_promises.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <vector>

using gossip::testing::Finding;
using gossip::testing::Seen;

TEST_CASE("Seen: counts calls and numbers, and knows the order", "[testing]") {
  const auto seen = std::make_shared<Seen>();
  const auto tell = Seen::teller(seen);
  tell(1);
  tell(3);
  CHECK(seen->in_order());
  tell(3);
  CHECK(seen->in_order());
  tell(2);
  CHECK_FALSE(seen->in_order());
  CHECK(seen->calls() == 4);
  CHECK(seen->distinct() == 3);
  CHECK(seen->has(2));
  CHECK_FALSE(seen->has(4));
}

TEST_CASE("Finding: a table says yes, no or nothing, and why", "[testing]") {
  const std::vector<Finding> findings{{"a", Finding::Verdict::kept, ""},
                                      {"b", Finding::Verdict::broken, "2 of 3"},
                                      {"c", Finding::Verdict::not_promised, ""}};
  CHECK(to_string(findings) == "a: yes\nb: NO: 2 of 3\nc: -\n");
  CHECK(findings[0].ok());
  CHECK_FALSE(findings[1].ok());
  CHECK(findings[2].ok());
}
