// SPDX-License-Identifier: MIT
//
// The functions of Node-API are linked as node.exe's and bound when first called: to whatever
// program loaded the addon, which may have another name. node-gyp and cmake-js have this for
// Microsoft's linker alone, so this is for MinGW's.
#include <windows.h>
// After it:
#include <delayimp.h>
#include <string.h>

namespace {

FARPROC WINAPI BindToHost(unsigned event, PDelayLoadInfo info) {
  if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
  // Node may be a library of another program.
  const HMODULE library = GetModuleHandleW(L"libnode.dll");
  return reinterpret_cast<FARPROC>(library != nullptr ? library : GetModuleHandleW(nullptr));
}

}  // namespace

extern "C" {
PfnDliHook __pfnDliNotifyHook2 = BindToHost;
}
