// SPDX-License-Identifier: MIT
// The second of two translation units that include everything; see tests/CMakeLists.txt.
#include <gossip/gossip.hpp>
#include <gossip/observe.hpp>
#include <gossip/testing.hpp>

namespace gossip_odr {
int second();
int second() { return GOSSIP_VERSION_MINOR; }
}  // namespace gossip_odr
