import type { SearchHit, SearchResponse } from '../../protocol/api.ts'
import { type Html, html } from './html.ts'
import { renderPage, type Site } from './page.ts'
import { publishLines } from './usage.ts'
import { count, counted } from './written.ts'

export interface ListPage {
  readonly site: Site
  /** What was searched for, as it was typed; empty: every crate is listed. */
  readonly query: string
  /** From 1 on. */
  readonly page: number
  readonly perPage: number
  readonly found: SearchResponse
}

/** The crates that match, page by page. */
export function listPage(list: ListPage): string {
  const { site, query, found } = list
  return renderPage({
    site,
    query,
    title: query === '' ? 'Crates' : `Search for “${query}”`,
    current: 'crates',
    body: found.crates.length === 0 ? nothing(list) : hits(list),
  })
}

function hits(list: ListPage): Html {
  const { site, page, perPage, found } = list
  const first = (page - 1) * perPage + 1
  const last = first + found.crates.length - 1
  const { total } = found.meta
  const range = first === 1 && last >= total ? '' : `${count(first)} to ${count(last)} of `
  return html`<p class="quiet">${range}${counted(total, 'crate')}</p>
<ol class="hits"${first > 1 && html` start="${first}"`}>${found.crates.map((crate) => hit(site, crate))}</ol>
${pages(list)}`
}

function hit(
  { path }: Site,
  { name, max_version, default_version = max_version, description }: SearchHit,
): Html {
  return html`<li><h2><a href="${path}/-/crates/${name}">${name}</a></h2><span class="version mono">${default_version}</span>
${(description ?? '').trim() === '' ? html`<p class="quiet small">No description</p>` : html`<p>${description ?? ''}</p>`}</li>
`
}

function pages(list: ListPage): Html | undefined {
  const { page, perPage, found } = list
  const last = Math.max(1, Math.ceil(found.meta.total / perPage))
  if (last === 1 && page === 1) return undefined
  return html`<nav class="pages" aria-label="Pages">
<span>${page > 1 && html`<a rel="prev" href="${address(list, page - 1)}">← Previous</a>`}</span>
<span class="quiet small">Page ${count(page)} of ${count(last)}</span>
<span>${page < last && html`<a rel="next" href="${address(list, page + 1)}">Next →</a>`}</span>
</nav>`
}

function nothing(list: ListPage): Html {
  const { site, query, page, found } = list
  if (page > 1 && found.meta.total > 0)
    return html`<p>There is nothing on page ${count(page)}. <a href="${address(list, 1)}">To the first page</a></p>`
  if (query !== '')
    return html`<p>No crate that you may read has all of these words in its name, description or keywords.</p>
<p><a href="${site.path}/-/">Show all crates</a></p>`
  return html`<div class="narrow"><p class="lead">There are no crates yet. This is how the first one gets here.</p>
${publishLines(site.base)}
<p>The token comes from <a href="${site.path}/me">the page about tokens</a>.</p></div>`
}

function address({ site, query }: ListPage, page: number): string {
  const parameters = new URLSearchParams({
    ...(query !== '' && { q: query }),
    ...(page > 1 && { page: String(page) }),
  })
  return `${site.path}/-/${parameters.size > 0 ? `?${parameters}` : ''}`
}
