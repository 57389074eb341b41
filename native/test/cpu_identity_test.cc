// SPDX-License-Identifier: MIT
#include "cpu_identity.h"

#include <random>

#include "check.h"

namespace microjoule {
namespace {

bool IsUnknown(const CpuIdentity& cpu) {
  return cpu.vendor == CpuVendor::kUnknown && cpu.family == 0 && cpu.model == 0 &&
         !cpu.is_virtual && !cpu.has_amd_rapl;
}

void TestVendors() {
  const CpuIdentity intel =
      ParseModalias("cpu:type:x86,ven0000fam0006mod008F:feature:,0000,0001,007C,009E,00A0\n");
  CHECK(intel.vendor == CpuVendor::kIntel && intel.family == 6 && intel.model == 0x8F);
  CHECK(!intel.is_virtual && !intel.has_amd_rapl);
  const CpuIdentity amd = ParseModalias("cpu:type:x86,ven0002fam0019mod0011:feature:,0000,007D\n");
  CHECK(amd.vendor == CpuVendor::kAmd && amd.family == 0x19 && amd.model == 0x11);
  CHECK(amd.has_amd_rapl && !amd.is_virtual);
  const CpuIdentity hygon = ParseModalias("cpu:type:x86,ven0009fam0018mod0001:feature:,007D");
  CHECK(hygon.vendor == CpuVendor::kHygon && hygon.family == 0x18 && hygon.has_amd_rapl);
  const CpuIdentity guest = ParseModalias("cpu:type:x86,ven0002fam0019mod0001:feature:,0000,009F");
  CHECK(guest.is_virtual && !guest.has_amd_rapl);
  const CpuIdentity zhaoxin = ParseModalias("cpu:type:x86,ven000Afam0007mod003B:feature:,0000");
  CHECK(zhaoxin.vendor == CpuVendor::kUnknown && zhaoxin.family == 7);
}

// As Linux printed it before 3.14.
void TestOldForm() {
  const CpuIdentity cpu =
      ParseModalias("x86cpu:vendor:0000:family:0006:model:003F:feature:,0000,009F\n");
  CHECK(cpu.vendor == CpuVendor::kIntel && cpu.family == 6 && cpu.model == 0x3F && cpu.is_virtual);
}

// A list that the page cut off, or without its end, still tells what stands in it.
void TestFeatureLists() {
  CHECK(ParseModalias("cpu:type:x86,ven0002fam0017mod0031").family == 0x17);
  CHECK(ParseModalias("cpu:type:x86,ven0002fam0017mod0031:feature:").family == 0x17);
  CHECK(ParseModalias("cpu:type:x86,ven0002fam0017mod0031:feature:,007D,00").has_amd_rapl);
  CHECK(!ParseModalias("cpu:type:x86,ven0002fam0017mod0031:feature:,junk,007D").has_amd_rapl);
}

void TestForeignText() {
  for (const char* text :
       {"", "\n", "cpu:type:aarch64:feature:,0000,009F", "cpu:type:x86", "cpu:type:x86,ven",
        "cpu:type:x86,ven0000", "cpu:type:x86,ven0000fam", "cpu:type:x86,ven0000fam0006mod",
        "cpu:type:x86,ven0000fam0006mod123456789", "cpu:type:x86,venfam0006mod008F",
        " cpu:type:x86,ven0000fam0006mod008F", "x86cpu:vendor:0000:family:0006"}) {
    CHECK(IsUnknown(ParseModalias(text)));
  }
}

// Any bytes are taken, and every cut of a good text.
void TestAnything() {
  std::mt19937 random(20261124);
  const std::string good = "cpu:type:x86,ven0002fam0019mod0011:feature:,0000,007D,009F\n";
  for (size_t size = 0; size <= good.size(); ++size) ParseModalias(good.substr(0, size));
  for (int i = 0; i < 100000; ++i) {
    std::string text = good;
    for (int change = 0; change < 3; ++change) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    ParseModalias(text);
  }
}

}  // namespace
}  // namespace microjoule

int main() {
  using namespace microjoule;
  TestVendors();
  TestOldForm();
  TestFeatureLists();
  TestForeignText();
  TestAnything();
}
