import { highestFirst, type VersionView } from '../../protocol/crate-view.ts'
import type { CratePage } from './crate-page.ts'
import { type Html, html } from './html.ts'
import { count, counted, day, scrolling, size } from './written.ts'

/** More are shown when they are asked for. */
const SHOWN = 100

/** A column that every version, or none, has a word for. */
interface Column {
  readonly title: string
  readonly number?: boolean
  readonly cell: (version: VersionView) => Html | string
}

/** The versions, highest first. */
export function versionsTable({ site, crate, version, downloads, allVersions }: CratePage): Html {
  const sorted = highestFirst(crate)
  const shown = allVersions ? sorted : sorted.slice(0, SHOWN)
  const address = `${site.path}/-/crates/${crate.name}`
  const columns: readonly Column[] = [
    { title: 'Published', cell: ({ at }) => day(at) },
    { title: 'Rust', cell: ({ entry }) => entry.rust_version ?? '–' },
    ...(crate.source === 'local'
      ? [
          {
            title: 'Size',
            number: true,
            cell: ({ details }: VersionView) => (details.size === undefined ? '–' : size(details.size)),
          },
          { title: 'Published by', cell: ({ by }: VersionView) => by ?? '–' },
        ]
      : []),
    { title: 'Downloads', number: true, cell: ({ entry }) => count(downloads.versions.get(entry.vers) ?? 0) },
  ]
  const row = (
    one: VersionView,
  ) => html`<tr><th scope="row"><a href="${address}/${encodeURIComponent(one.entry.vers)}"${
    one === version && html` aria-current="true"`
  }>${one.entry.vers}</a>${one.entry.yanked && html` <span class="tag warn">yanked</span>`}</th>${columns.map(
    ({ number, cell }) => html`<td${number === true && html` class="number"`}>${cell(one)}</td>`,
  )}</tr>
`
  const heads = columns.map(
    ({ title, number }) => html`<th scope="col"${number === true && html` class="number"`}>${title}</th>`,
  )
  return html`${scrolling(
    'Versions',
    html`<table>
<thead><tr><th scope="col">Version</th>${heads}</tr></thead>
<tbody>${shown.map(row)}</tbody>
</table>`,
    { tall: true },
  )}${
    shown.length < sorted.length &&
    html`<p>These are the ${count(SHOWN)} highest. <a href="${address}?versions=all#versions">Show all ${counted(sorted.length, 'version')}</a></p>`
  }`
}
