#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A Windows for the tests: Debian's Wine in FOLDER, with a driver that pretends to be energy meters. Wine's 64-bit
# program is not on PATH.
#   make-prefix.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
target=x86_64-w64-mingw32

cd "$folder"
"$target-dlltool" -d "$here/ntoskrnl.def" -l libntextra.a
"$target-gcc" -O2 -Wall -Wextra -Wno-unknown-pragmas -ffreestanding -fno-builtin -I "/usr/$target/include/ddk" \
  -shared -nostdlib -nostartfiles -Wl,--subsystem,native -Wl,--entry,DriverEntry -Wl,--dynamicbase -s \
  -o fakeemi.sys "$here/fake-emi.c" -L. -lntextra -lntoskrnl

{
  printf 'REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\fakeemi]\n'
  printf '"ErrorControl"=dword:1\n"Start"=dword:3\n"Type"=dword:1\n'
  printf '"ImagePath"="C:\\\\windows\\\\system32\\\\drivers\\\\fakeemi.sys"\n'
  for i in 0 1 2 3 4 5 6 7; do
    printf '\n[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Enum\\ROOT\\FAKEEMI\\000%d]\n' "$i"
    printf '"Class"="System"\n"ClassGUID"="{4d36e97d-e325-11ce-bfc1-08002be10318}"\n"ConfigFlags"=dword:0\n'
    printf '"DeviceDesc"="Fake energy meter %d"\n"Service"="fakeemi"\n' "$i"
    printf '"HardwareID"=hex(7):52,4f,4f,54,5c,46,41,4b,45,45,4d,49,00,00\n'
  done
} >fakeemi.reg

export WINEPREFIX=$folder/prefix WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
unset DISPLAY
wine=/usr/lib/wine/wine64
"$wine" wineboot --init
# Node refuses Windows 7, which is Wine's default.
"$wine" winecfg -v win10
cp fakeemi.sys prefix/drive_c/windows/system32/drivers/
"$wine" regedit /S fakeemi.reg
# The next server starts the driver.
/usr/lib/wine/wineserver64 --kill || true
/usr/lib/wine/wineserver64 --wait || true
touch ready
