// SPDX-License-Identifier: MIT

/**
 * The page's style: the reader's own light or dark, a narrow screen, paper. The colours of the components are those of
 * Okabe and Ito, which stay apart for the colour-blind; the kinds are told apart by texture as well.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fbfbf9; --panel: #ffffff; --ink: #1d2126; --soft: #5b646e; --line: #d9dde1; --faint: #eef0f2;
  --cpu: #0072b2; --gpu: #d55e00; --ram: #00846a; --other: #8a5a9e; --accent: #0b6b3a;
  --warn: #8a4b00; --warn-page: #fff5e5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --panel: #1c2024; --ink: #e8eaec; --soft: #a2abb4; --line: #363c43; --faint: #262b30;
    --cpu: #56b4e9; --gpu: #ee8a4a; --ram: #3cc3a2; --other: #c79fd8; --accent: #6fd39b;
    --warn: #f0b566; --warn-page: #2d2415;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
p { margin: .5rem 0; max-width: 46rem; }
.meta, .note, figcaption { color: var(--soft); font-size: .875rem; }
.meta { overflow-wrap: anywhere; }
code { font: .875em/1.4 ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
a { color: inherit; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0 1rem; }
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem; }
.tiles.many { grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.tile.first { border-top: 3px solid var(--accent); padding-top: calc(.8rem - 2px); }
.tile dt { color: var(--soft); font-size: .8125rem; }
.tile dd { margin: 0; }
.tile .value { font-size: 1.375rem; font-weight: 650; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile .low { display: block; color: var(--soft); font-size: .8125rem; font-weight: 400; line-height: 1.2; }
.value data { white-space: nowrap; }
.tile .more { display: block; color: var(--soft); font-size: .8125rem; line-height: 1.4; }
dl { margin: 0; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
figure + figure { margin-top: .75rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font: 13px system-ui, "Segoe UI", "Noto Sans", sans-serif; font-variant-numeric: tabular-nums; }
svg .soft { fill: var(--soft); }
.cpu { --c: var(--cpu); } .gpu { --c: var(--gpu); } .ram { --c: var(--ram); } .other { --c: var(--other); }
.kindbar { display: flex; height: 1.1rem; gap: 2px; margin: .25rem 0 .5rem; }
.kindbar span { border-radius: 2px; min-width: 4px; }
.swatch { display: inline-block; width: .9rem; height: .7rem; border-radius: 2px; margin-right: .35rem; vertical-align: baseline; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .875rem; padding: 0; margin: 0; list-style: none; }
.measured { background: var(--ink); }
.estimated { background: repeating-linear-gradient(135deg, var(--ink) 0 3px, var(--panel) 3px 6px); border: 1px solid var(--ink); }
.assumed { background: radial-gradient(var(--ink) 1px, var(--panel) 1.3px) 0 0 / 5px 5px; border: 1px solid var(--ink); }
.absent { border: 1px dashed var(--soft); }
.kindbar .absent { flex: 0 0 4rem; color: var(--soft); font-size: .75rem; line-height: 1rem; text-align: center; }
.kind { white-space: nowrap; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; background: var(--panel); }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; background: var(--faint); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
td { font-variant-numeric: tabular-nums; min-width: 6rem; overflow-wrap: anywhere; }
td:nth-child(2) { min-width: 9rem; }
td:last-child { min-width: 14rem; }
.warnings { list-style: none; padding: 0; margin: 0; }
.warnings li { border-left: 3px solid var(--warn); background: var(--warn-page); padding: .5rem .8rem; margin: .4rem 0; border-radius: 0 .25rem .25rem 0; overflow-wrap: anywhere; }
.references { font-size: .875rem; padding-left: 1.5rem; overflow-wrap: anywhere; }
[data-tip]:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
#tip {
  position: fixed; z-index: 2; max-width: 24rem; padding: .5rem .7rem; border-radius: .375rem; pointer-events: none;
  background: var(--ink); color: var(--page); font-size: .8125rem; line-height: 1.4; white-space: pre-line; overflow-wrap: anywhere;
}
#tip[hidden] { display: none; }
.tools { display: flex; flex-wrap: wrap; align-items: baseline; gap: .5rem 1rem; justify-content: space-between; margin-top: .5rem; }
button { font: inherit; font-size: .8125rem; color: var(--ink); background: var(--faint); border: 1px solid var(--line); border-radius: .25rem; padding: .15rem .6rem; cursor: pointer; }
button:disabled { opacity: .5; cursor: default; }
#power { cursor: crosshair; touch-action: pan-y; outline-offset: 2px; user-select: none; }
@media print {
  :root { --page: #fff; --panel: #fff; --ink: #000; --soft: #444; --line: #bbb; --faint: #f2f2f2;
    --cpu: #0072b2; --gpu: #d55e00; --ram: #00846a; --other: #8a5a9e; --accent: #0b6b3a; --warn: #8a4b00; --warn-page: #fff; }
  body { font-size: 11pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  figure, .tile, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  .tools button, #tip { display: none; }
}
`;
