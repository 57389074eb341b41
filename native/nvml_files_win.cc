// SPDX-License-Identifier: MIT
#include <windows.h>

#include "nvml_files.h"
#include "wide_text_win.h"

namespace microjoule {
namespace {

constexpr char kProgramFiles[] = "C:\\Program Files";

// Of a function that fills in a text and gives its length, as those of Windows do.
template <typename Fill>
std::string Ask(Fill fill) {
  std::wstring text(MAX_PATH, L'\0');
  const DWORD length = fill(text.data(), static_cast<DWORD>(text.size()));
  if (length == 0 || length >= text.size()) return "";
  text.resize(length);
  return Narrow(text);
}

}  // namespace

// Drivers since 2019 keep it in System32, those before in a folder of their own, which a newer
// driver may have left behind. Always by the whole path.
NvmlFiles FindNvmlFiles() {
  const std::string system =
      Ask([](wchar_t* text, DWORD size) { return GetSystemDirectoryW(text, size); });
  std::string programs = Ask([](wchar_t* text, DWORD size) {
    return GetEnvironmentVariableW(L"ProgramW6432", text, size);
  });
  // Anything but a whole path would be looked for in the current folder.
  if (programs.size() < 3 || programs[1] != ':' || programs[2] != '\\') programs = kProgramFiles;
  return {{system.empty() ? "nvml.dll" : system + "\\nvml.dll",
           programs + "\\NVIDIA Corporation\\NVSMI\\nvml.dll"},
          "nvml.dll",
          "run it as a user who may use the GPU",
          "see in the Device Manager whether the GPU's driver is started"};
}

}  // namespace microjoule
