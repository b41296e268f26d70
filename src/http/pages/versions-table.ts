import { highestFirst, type VersionView } from '../../protocol/crate-view.ts'
import type { CratePage } from './crate-page.ts'
import { type Html, html } from './html.ts'
import { count, counted, day, scrolling, size } from './written.ts'

/** More are shown when they are asked for. */
const SHOWN = 100

interface Column {
  readonly title: string
  readonly isNumber?: boolean
  /** `undefined`: not known. A column of which nothing is known is left out. */
  cell(version: VersionView): Html | string | undefined
}

/** The versions, highest first. */
export function versionsTable(page: CratePage): Html {
  const { crate, allVersions } = page
  const sorted = highestFirst(crate)
  const shown = allVersions ? sorted : sorted.slice(0, SHOWN)
  const columns = columnsOf(page).filter(({ cell }) => shown.some((version) => cell(version) !== undefined))
  const numeric = ({ isNumber }: Column) => isNumber === true && html` class="number"`
  const heads = columns.map((column) => html`<th scope="col"${numeric(column)}>${column.title}</th>`)
  const rows = shown.map((version) => {
    const cells = columns.map((column) => html`<td${numeric(column)}>${column.cell(version) ?? '–'}</td>`)
    return html`<tr>${versionCell(page, version)}${cells}</tr>\n`
  })
  const table = html`<table>
<thead><tr><th scope="col">Version</th>${heads}</tr></thead>
<tbody>${rows}</tbody>
</table>`
  const rest = shown.length < sorted.length && allLink(page, sorted.length)
  return html`${scrolling('Versions', table, 'tall')}${rest}`
}

function columnsOf({ downloads }: CratePage): readonly Column[] {
  return [
    { title: 'Published', cell: ({ at }) => day(at) },
    { title: 'Rust', cell: ({ entry }) => entry.rust_version ?? undefined },
    { title: 'Size', isNumber: true, cell: ({ details }) => known(details.size, size) },
    { title: 'Published by', cell: ({ by }) => by },
    {
      title: 'Downloads',
      isNumber: true,
      cell: ({ entry }) => count(downloads.versions.get(entry.vers) ?? 0),
    },
  ]
}

function versionCell({ site, crate, version }: CratePage, { entry }: VersionView): Html {
  const { vers, yanked } = entry
  const isShown = vers === version.entry.vers
  return html`<th scope="row"><a href="${site.path}/-/crates/${crate.name}/${encodeURIComponent(vers)}"${
    isShown && html` aria-current="true"`
  }>${vers}</a>${yanked && html` <span class="tag warn">yanked</span>`}</th>`
}

function allLink({ site, crate }: CratePage, total: number): Html {
  const address = `${site.path}/-/crates/${crate.name}?versions=all#versions`
  return html`<p>These are the ${count(SHOWN)} highest. <a href="${address}">Show all ${counted(total, 'version')}</a></p>`
}

function known<T>(value: T | undefined, write: (value: T) => string): string | undefined {
  return value === undefined ? undefined : write(value)
}
