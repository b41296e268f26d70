import type { IndexEntry } from '../../protocol/index-entry.ts'
import { type Html, html } from './html.ts'
import { counted } from './written.ts'

/** The features of a version and what each turns on. */
export function featureList({ features, features2 }: IndexEntry): Html | undefined {
  const all = Object.entries({ ...features, ...features2 }).sort(
    ([a], [b]) => byDefault(a) - byDefault(b) || (a < b ? -1 : 1),
  )
  if (all.length === 0) return undefined
  const items = all.map(
    ([name, values]) =>
      html`<dt><code>${name}</code></dt><dd>${values.length === 0 ? html`<span class="quiet">nothing more</span>` : values.map((value, i) => html`${i > 0 && ', '}<code>${value}</code>`)}</dd>
`,
  )
  return html`<details><summary>${counted(all.length, 'feature')}</summary><dl class="features">${items}</dl></details>`
}

function byDefault(name: string): number {
  return name === 'default' ? 0 : 1
}
