/** CSS of the page: light and dark by the reader's setting, and for print. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fff; --text: #1c1e21; --muted: #6b7280; --rule: #d9dce1; --card: #f6f7f9;
  --ink-1: #2563c9; --ink-2: #d9631e; --ink-3: #1a8a5a; --ink-4: #a13bb0; --ink-5: #a77b00; --ink-6: #c22a4d;
  --dot: #1c1e21; --good: #1a7f4b; --bad: #c22a3a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --text: #e4e6ea; --muted: #98a0ac; --rule: #32363d; --card: #1d2026;
    --ink-1: #6ea5ff; --ink-2: #f79a5c; --ink-3: #4cc38a; --ink-4: #d98be6; --ink-5: #e0bd4c; --ink-6: #ff7a95;
    --dot: #e4e6ea; --good: #4cc38a; --bad: #ff7a85;
  }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --text: #000; --muted: #555; --rule: #bbb; --card: #fff;
    --ink-1: #1d4fa3; --ink-2: #b94a08; --ink-3: #0f6b43; --ink-4: #7d2489; --ink-5: #7d5c00; --ink-6: #98183a;
    --dot: #000; --good: #0f6b43; --bad: #98183a;
  }
  details > * { display: block; }
  section, figure, .answer { break-inside: avoid-page; }
  nav { display: none; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 10px; padding-top: 10px; border-top: 1px solid var(--rule); }
h3 { font-size: 15px; margin: 22px 0 6px; }
p, li { max-width: 78ch; }
p.note { max-width: 110ch; }
p.facts { font-size: 17px; margin: 10px 0 4px; max-width: none; font-variant-numeric: tabular-nums; }
a { color: var(--ink-1); }
nav a { margin-right: 14px; }
.note { color: var(--muted); font-size: 13px; font-weight: 400; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 9px 4px 0; text-align: right; white-space: nowrap; vertical-align: baseline; }
.roomy :is(th, td) { padding-right: 22px; }
th { font-weight: 600; border-bottom: 1px solid var(--rule); }
td { border-bottom: 1px solid color-mix(in srgb, var(--rule) 55%, transparent); }
.text { text-align: left; }
.paper { color: var(--muted); }
th.paper, td.paper:first-of-type { font-weight: 400; }
.path { white-space: normal; overflow-wrap: anywhere; font: 11px/1.45 ui-monospace, monospace; }
.lines { white-space: pre-line; }
.stages { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 16px; }
.many { grid-column: span 2; }
.curves { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 12px 14px; }
.few .curves { grid-template-columns: repeat(2, minmax(0, 1fr)); }
@media (max-width: 900px) {
  .stages, .few .curves { grid-template-columns: minmax(0, 1fr); }
  .many { grid-column: auto; }
  .curves, .few .curves { grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); }
}
figure { margin: 0; }
figcaption { font-size: 13px; font-weight: 600; }
.key { font-weight: 400; color: var(--muted); margin-left: 8px; white-space: nowrap; }
.key i { display: inline-block; width: 12px; height: 3px; margin-right: 4px; vertical-align: 3px; }
.key .dot { width: 8px; height: 8px; border-radius: 50%; vertical-align: 0; background: var(--dot); }
.key .quick { background: transparent; border: 1.5px solid var(--dot); }
.key .alarm { width: 0; height: 12px; vertical-align: -2px; border-left: 1.5px dashed var(--bad); background: none; }
.key .square { width: 8px; height: 8px; vertical-align: 0; background: transparent; border: 1.5px solid var(--ink-3); }
.key .theirs { width: 9px; height: 9px; border-radius: 50%; vertical-align: -1px; border: 1.5px solid var(--muted); }
svg { display: block; max-width: 100%; height: auto; color: var(--text); }
.answers { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 8px; }
.answer { background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 8px 10px; min-width: 0; }
.answer header { display: flex; justify-content: space-between; font-size: 12.5px; font-weight: 600; gap: 8px; }
.answer pre { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 12px/1.45 ui-monospace, monospace;
  unicode-bidi: isolate; max-height: 22em; overflow-y: auto; }
.thinking { color: var(--muted); border-left: 2px solid var(--rule); padding-left: 8px; }
.none { color: var(--muted); font-size: 12px; }
.right { color: var(--good); } .wrong { color: var(--bad); }
.problem { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
`;
