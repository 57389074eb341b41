// SPDX-License-Identifier: MIT
//
// Windows' Energy Meter Interface: what the source needs of Windows.
#include <windows.h>
// After it:
#include <setupapi.h>

#include "emi_source.h"
#include "wide_text_win.h"

namespace microjoule {
namespace {

// GUID_DEVICE_ENERGY_METER and the codes of emi.h, which MinGW's headers lack.
constexpr GUID kEnergyMeter = {
    0x45BD8344, 0x7ED6, 0x49CF, {0xA4, 0x40, 0xC2, 0x76, 0xC9, 0x33, 0xB0, 0x53}};

constexpr DWORD CodeOf(EmiRequest request) {
  // CTL_CODE(FILE_DEVICE_UNKNOWN, 0 to 3, METHOD_BUFFERED, FILE_READ_ACCESS)
  return 0x22u << 16 | 1u << 14 | static_cast<DWORD>(request) << 2;
}
static_assert(CodeOf(EmiRequest::kVersion) == 0x224000);
static_assert(CodeOf(EmiRequest::kMeasurement) == 0x22400C);

class WindowsHandle final : public EmiHandle {
 public:
  explicit WindowsHandle(HANDLE handle) : handle_(handle) {}
  ~WindowsHandle() override { CloseHandle(handle_); }

  uint32_t Call(EmiRequest request, uint8_t* out, size_t size, size_t* written) override {
    DWORD count = 0;
    *written = 0;
    if (!DeviceIoControl(handle_, CodeOf(request), nullptr, 0, out, static_cast<DWORD>(size),
                         &count, nullptr)) {
      return GetLastError();
    }
    *written = count;
    return kEmiOk;
  }

 private:
  const HANDLE handle_;
};

// A list of devices, released with the object.
class DeviceList {
 public:
  DeviceList()
      : list_(SetupDiGetClassDevsW(&kEnergyMeter, nullptr, nullptr,
                                   DIGCF_PRESENT | DIGCF_DEVICEINTERFACE)) {}
  ~DeviceList() {
    if (list_ != INVALID_HANDLE_VALUE) SetupDiDestroyDeviceInfoList(list_);
  }
  DeviceList(const DeviceList&) = delete;
  DeviceList& operator=(const DeviceList&) = delete;

  HDEVINFO get() const { return list_; }

 private:
  const HDEVINFO list_;
};

class WindowsSystem final : public EmiSystem {
 public:
  // The setup library, since Wine has no newer way to list interfaces.
  uint32_t List(std::vector<std::string>* paths) override {
    const DeviceList list;
    if (list.get() == INVALID_HANDLE_VALUE) return GetLastError();
    for (DWORD i = 0;; ++i) {
      SP_DEVICE_INTERFACE_DATA found = {};
      found.cbSize = sizeof found;
      if (!SetupDiEnumDeviceInterfaces(list.get(), nullptr, &kEnergyMeter, i, &found)) {
        const DWORD error = GetLastError();
        return error == ERROR_NO_MORE_ITEMS ? kEmiOk : error;
      }
      DWORD size = 0;
      SetupDiGetDeviceInterfaceDetailW(list.get(), &found, nullptr, 0, &size, nullptr);
      if (size < sizeof(SP_DEVICE_INTERFACE_DETAIL_DATA_W)) continue;  // it went meanwhile
      // In wide words, so that it is aligned.
      std::vector<DWORD64> words(size / sizeof(DWORD64) + 1);
      auto* const detail = reinterpret_cast<SP_DEVICE_INTERFACE_DETAIL_DATA_W*>(words.data());
      detail->cbSize = sizeof *detail;
      if (!SetupDiGetDeviceInterfaceDetailW(list.get(), &found, detail, size, nullptr, nullptr)) {
        continue;
      }
      paths->push_back(Narrow(detail->DevicePath));
    }
  }

  uint32_t Open(const std::string& path, std::unique_ptr<EmiHandle>* out) override {
    const HANDLE handle =
        CreateFileW(Widen(path).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (handle == INVALID_HANDLE_VALUE) return GetLastError();
    *out = std::make_unique<WindowsHandle>(handle);
    return kEmiOk;
  }
};

}  // namespace

std::unique_ptr<Source> MakeEmi() {
  return MakeEmiSource(std::make_unique<WindowsSystem>(), EmiPart::kMachine);
}

std::unique_ptr<Source> MakeEmiCore() {
  return MakeEmiSource(std::make_unique<WindowsSystem>(), EmiPart::kCores);
}

}  // namespace microjoule
