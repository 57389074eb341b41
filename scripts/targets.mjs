// SPDX-License-Identifier: MIT
//
// Which prebuilt addons there are.

/** All that a release must hold, by the names that the loader (node-gyp-build) tells apart. */
export const PUBLISHED = [
  'linux-x64/microjoule.glibc.node',
  'linux-x64/microjoule.musl.node',
  'linux-arm64/microjoule.glibc.node',
  'linux-arm64/microjoule.musl.node',
  'darwin-x64/microjoule.node',
  'darwin-arm64/microjoule.node',
  'win32-x64/microjoule.node',
  'win32-arm64/microjoule.node',
];

/** Arguments of prebuildify, which makes the addon of the machine it runs on. */
export function prebuildifyArguments(platform, out) {
  return [
    '--napi',
    '--strip',
    // It would call everything but Alpine "glibc", macOS and Windows included.
    ...(platform === 'linux' ? ['--tag-libc'] : []),
    ...(out === undefined ? [] : ['--out', out]),
  ];
}
