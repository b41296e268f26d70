import type { CrateView, VersionView } from '../../protocol/crate-view.ts'
import type { Explanation } from '../../protocol/explanation.ts'
import type { Owner } from '../../protocol/owner-api.ts'
import { isPrerelease } from '../../protocol/version.ts'
import type { CrateDownloads } from '../../registry/download-counts.ts'
import { aboutCrate } from './crate-about.ts'
import { dependencies } from './dependencies.ts'
import { downloadsPlot } from './downloads-plot.ts'
import { featureList } from './features.ts'
import { type Html, html } from './html.ts'
import { origin } from './origin.ts'
import { renderPage, type Site } from './page.ts'
import { prose } from './prose.ts'
import { addLines } from './usage.ts'
import { versionsTable } from './versions-table.ts'
import { counted, day } from './written.ts'

export interface CratePage {
  readonly site: Site
  readonly crate: CrateView
  /** The one that is shown. */
  readonly version: VersionView
  /** The version was asked for by its number. */
  readonly isChosen: boolean
  readonly readme: Besides<Html | undefined>
  readonly owners: Besides<readonly Owner[]>
  readonly downloads: CrateDownloads
  readonly explanation: Explanation
  /** Whether a long list of versions is shown whole. */
  readonly allVersions: boolean
  /** The day that it is, `YYYY-MM-DD` in UTC. */
  readonly today: string
}

/** What a page can do without: what it is, or why it cannot be had now. */
export interface Besides<T> {
  readonly value?: T
  readonly problem?: string
}

/** All about a crate, and about one version of it. */
export function cratePage(page: CratePage): string {
  const { site, crate, version, readme, downloads, explanation, today } = page
  const { entry } = version
  const sections: readonly Section[] = [
    { id: 'readme', title: 'README', body: readmeBody(readme) },
    { id: 'versions', title: 'Versions', body: versionsTable(page) },
    {
      id: 'dependencies',
      title: 'Dependencies',
      body: html`${dependencies(site, entry)}${featureList(entry)}`,
    },
    { id: 'downloads', title: 'Downloads', body: downloadsPlot(downloads, today) },
    { id: 'origin', title: 'Where it comes from', body: origin(explanation) },
  ]
  return renderPage({
    site,
    title: `${crate.name} ${entry.vers}`,
    heading: html`<h1>${crate.name} <span class="version">${entry.vers}</span></h1>`,
    body: html`${description(page)}
<p class="facts">${facts(page)}</p>
${notes(page)}
<nav class="local" aria-label="On this page">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav>
<div class="crate">
<div class="side">
<section class="card" aria-labelledby="use"><h2 id="use">Use it</h2>${addLines(page)}</section>
${aboutCrate(page)}
</div>
<div class="body">${sections.map(section)}</div>
</div>`,
  })
}

interface Section {
  readonly id: string
  readonly title: string
  readonly body: Html
}

function section({ id, title, body }: Section): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${body}</section>
`
}

function description({ version, crate }: CratePage): Html | undefined {
  const text = (version.details.description ?? crate.about.description ?? '').trim()
  return text === '' ? undefined : html`<p class="lead">${text}</p>`
}

function facts({ crate, version, downloads }: CratePage): Html {
  const { entry, at, by } = version
  const tags = [
    crate.source === 'local' ? 'published here' : `from uplink ${crate.uplink ?? ''}`,
    ...(isPrerelease(entry.vers) ? ['pre-release'] : []),
  ].map((text) => html`<span class="tag">${text}</span>\n`)
  return html`${tags}${entry.yanked && html`<span class="tag warn">yanked</span>\n`}<span class="quiet">${day(at)}${
    by !== undefined && ` by ${by}`
  } · ${counted(crate.versions.length, 'version')} · ${counted(downloads.total, 'download')}</span>`
}

function notes({ site, crate, version, isChosen, explanation }: CratePage): Html {
  const { yanked } = version.entry
  const all = crate.versions.every(({ entry }) => entry.yanked)
  // Of a crate of this registry the verdict says nothing more.
  const reason = crate.source === 'local' ? undefined : explanation.verdict?.reason
  return html`${
    yanked &&
    html`<div class="note"><p><strong>${all ? 'Every version is yanked.' : 'This version is yanked.'}</strong> Lock files that have it keep building; nothing new picks it${
      reason === undefined ? '.' : html`: ${prose(reason)}.`
    }</p></div>`
  }${
    isChosen &&
    html`<p>This is one version of several. <a href="${site.path}/-/crates/${crate.name}">Show the one that is recommended</a></p>`
  }`
}

function readmeBody({ value, problem }: CratePage['readme']): Html {
  if (value !== undefined) return html`<div class="readme">${value}</div>`
  if (problem !== undefined)
    return html`<div class="note"><p>It cannot be shown now: ${prose(problem)}.</p></div>`
  return html`<p class="quiet">This version has no README.</p>`
}
