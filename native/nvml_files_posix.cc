// SPDX-License-Identifier: MIT
#include "nvml_files.h"

namespace microjoule {

// The loader's path knows where a distribution, or a container's runtime, put it. The name with the
// version is the driver's; the other comes with development files, the last place is WSL's.
NvmlFiles FindNvmlFiles() {
  return {{"libnvidia-ml.so.1", "libnvidia-ml.so", "/usr/lib/wsl/lib/libnvidia-ml.so.1"},
          "libnvidia-ml.so.1",
          "let this user open /dev/nvidia*",
          "load the driver: run nvidia-smi as root"};
}

}  // namespace microjoule
