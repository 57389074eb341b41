// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <thread>

namespace microjoule {

// Starts a thread that takes no signals: they belong to the host's own threads.
std::thread StartQuietThread(std::function<void()> body);

}  // namespace microjoule
