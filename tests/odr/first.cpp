// SPDX-License-Identifier: MIT
// The first of two translation units that include everything; see tests/CMakeLists.txt.
#include <gossip/gossip.hpp>
#include <gossip/observe.hpp>
#include <gossip/testing.hpp>

namespace gossip_odr {
int first();
int first() { return GOSSIP_VERSION_MAJOR; }
}  // namespace gossip_odr
