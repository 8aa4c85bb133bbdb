// SPDX-License-Identifier: MIT
// EXPECT-ERROR: deleted (function|constructor)
#include <gossip/core/metadata.hpp>

void use(gossip::Metadata& metadata) { metadata.set("grade", 'x'); }
