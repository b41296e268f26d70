/** The look of every page: system fonts, light and dark, from 320 pixels up. Nothing of it is loaded. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --raised: #f6f7f9; --line: #d5dae1; --text: #1d232b; --quiet: #56606c;
  --accent: #99380f; --on-accent: #fff; --soft: #fcefe8; --warn: #7a4300; --warn-soft: #fff4dc; --warn-line: #e2b45c;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --raised: #1d2129; --line: #363d48; --text: #e3e7ec; --quiet: #a3adba;
    --accent: #f5a67d; --on-accent: #26130a; --soft: #33231b; --warn: #f5c878; --warn-soft: #2e2616; --warn-line: #6d5621;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.6 system-ui, sans-serif; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 2rem 0 .75rem; text-wrap: balance; }
h1 { font-size: 1.9rem; margin-top: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; } h3 { font-size: 1.1rem; } h4, h5, h6 { font-size: 1rem; }
p, ul, ol, dl, pre, figure, blockquote { margin: 0 0 1rem; }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: .06em; }
a:hover { text-decoration-thickness: .12em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, pre, .mono { font-family: var(--mono); font-size: .875em; }
code { background: var(--raised); border-radius: 4px; padding: .1em .3em; overflow-wrap: anywhere; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; overflow: auto; line-height: 1.5; }
pre code { background: none; padding: 0; font-size: 1em; overflow-wrap: normal; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2rem 0; }
blockquote { border-left: 4px solid var(--line); margin-left: 0; padding-left: 1rem; color: var(--quiet); }
.wrap { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
.skip { position: absolute; left: 1rem; top: -4rem; background: var(--accent); color: var(--on-accent); padding: .5rem 1rem; z-index: 1; }
.skip:focus { top: .5rem; }
.top { background: var(--raised); border-bottom: 1px solid var(--line); }
.top .wrap { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem 1.5rem; padding-top: .7rem; padding-bottom: .7rem; }
.brand { display: flex; align-items: center; gap: .5rem; color: var(--text); font-weight: 700; text-decoration: none; }
.brand svg { width: 1.6rem; height: 1.6rem; color: var(--accent); }
.top nav { margin-left: auto; display: flex; flex-wrap: wrap; align-items: center; gap: 1.25rem; }
.top nav a { color: var(--text); text-decoration: none; padding: .3rem 0; border-bottom: 2px solid transparent; }
.top nav a:hover { border-color: var(--line); }
.top nav a[aria-current] { border-color: var(--accent); font-weight: 600; }
.top form { order: 3; flex: 1 1 100%; display: flex; gap: .5rem; }
main.wrap { padding-top: 2.25rem; padding-bottom: 3rem; min-height: 70vh; }
main:focus { outline: none; }
.foot { border-top: 1px solid var(--line); color: var(--quiet); font-size: .875rem; }
.foot .wrap { padding-top: 1rem; padding-bottom: 2rem; overflow-wrap: anywhere; }
input, select, textarea, button { font: inherit; color: inherit; }
input[type=text], input[type=search], select, textarea { background: var(--page); border: 1px solid var(--quiet); border-radius: 6px; padding: .4rem .7rem; width: 100%; min-width: 0; }
select { width: auto; }
input[type=checkbox] { accent-color: var(--accent); }
button, .button { background: var(--accent); color: var(--on-accent); border: 1px solid var(--accent); border-radius: 6px; padding: .4rem .9rem; font-weight: 600; cursor: pointer; }
button.plain { background: none; color: var(--accent); }
button:hover { filter: brightness(1.1); }
fieldset { border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; margin: 0 0 1rem; min-width: 0; }
fieldset label { display: inline-block; margin-right: 1.25rem; }
fieldset p { margin: .5rem 0 0; color: var(--quiet); }
.field { display: block; font-weight: 600; margin-bottom: .25rem; }
.narrow { max-width: 46rem; }
.lead { font-size: 1.15rem; color: var(--quiet); max-width: 46rem; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.small { font-size: .875rem; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.note { background: var(--warn-soft); border: 1px solid var(--warn-line); border-radius: 8px; padding: .75rem 1rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
.note p:last-child, .card > :last-child { margin-bottom: 0; }
.tag { display: inline-block; border: 1px solid var(--line); border-radius: 99px; padding: 0 .6rem; font-size: .8125rem; color: var(--quiet); overflow-wrap: anywhere; }
.tag.warn { background: var(--warn-soft); border-color: var(--warn-line); color: var(--warn); white-space: nowrap; }
.tags { display: flex; flex-wrap: wrap; gap: .4rem; list-style: none; padding: 0; }
.scroll { position: relative; overflow: auto; margin: 0 0 1rem; }
.wide table { min-width: 46rem; }
.tall { max-height: 32rem; border-bottom: 1px solid var(--line); }
.tall thead th { position: sticky; top: 0; background: var(--page); }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem 1rem .5rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--quiet); font-size: .8125rem; font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
.tall tbody th { white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
time { white-space: nowrap; }
summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
details { margin: 0 0 1rem; }
details[open] > summary { margin-bottom: .5rem; }
.hits { list-style: none; padding: 0; margin: 1rem 0; border-top: 1px solid var(--line); }
.hits li { border-bottom: 1px solid var(--line); padding: 1rem 0; }
.hits h2 { display: inline; font-size: 1.1rem; margin: 0 .6rem 0 0; overflow-wrap: anywhere; }
.hits p { margin: .25rem 0 0; max-width: 52rem; overflow-wrap: anywhere; }
.pages { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; justify-content: space-between; }
.card { border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem; margin: 0 0 1.25rem; min-width: 0; }
.card h2 { font-size: 1rem; margin: 0 0 .5rem; }
.card h3 { font-size: .9375rem; margin: 1rem 0 .5rem; }
.card dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .35rem 1rem; font-size: .9375rem; }
.card dt { color: var(--quiet); }
.card dd { margin: 0; overflow-wrap: anywhere; }
.card pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .6rem .8rem; }
.card ul { padding: 0; list-style: none; overflow-wrap: anywhere; }
.local { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; border-bottom: 1px solid var(--line); padding-bottom: .5rem; margin-bottom: 1.5rem; }
.crate { display: grid; gap: 0 2.5rem; grid-template-columns: minmax(0, 1fr); }
.crate > * { min-width: 0; }
.version { font-weight: 400; color: var(--quiet); }
.plot { width: 100%; height: auto; display: block; color: var(--accent); }
.plot rect { fill: currentColor; }
.plot line { stroke: var(--line); }
.plot text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
.body > section { margin-bottom: 2.5rem; }
.body > section > h2 { margin-top: 0; }
.dependencies th:nth-child(1) { width: 30%; }
.dependencies th:nth-child(2) { width: 20%; }
.features dt { margin-top: .4rem; font-weight: 600; }
.features dd { margin: 0 0 0 1rem; overflow-wrap: anywhere; }
.plain { white-space: pre-wrap; overflow-wrap: anywhere; }
.readme { overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem 1.5rem; }
.readme > :last-child { margin-bottom: 0; }
.readme table { width: auto; }
.readme h3 { font-size: 1.3rem; } .readme h4 { font-size: 1.15rem; } .readme h5 { font-size: 1.05rem; }
.readme > :first-child { margin-top: 0; }
@media (min-width: 60rem) {
  .top form { order: 0; flex: 0 1 34rem; }
  .crate { grid-template-columns: minmax(0, 1fr) 21rem; }
  .crate > .side { grid-column: 2; grid-row: 1; }
  .crate > .body { grid-column: 1; grid-row: 1; }
}
@media (max-width: 40rem) {
  .plot text { font-size: 20px; }
}
@media (max-width: 30rem) {
  h1 { font-size: 1.5rem; }
  .readme { padding: 1rem; }
  .card { padding: 1rem; }
}
`
