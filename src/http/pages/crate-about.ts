import type { CratePage } from './crate-page.ts'
import { type Html, html } from './html.ts'
import { prose } from './prose.ts'
import { safeUrl } from './safe-url.ts'
import { size } from './written.ts'

/** What a crate and its version say of themselves, and who owns the crate. */
export function aboutCrate({ site, crate, version, owners }: CratePage): Html {
  const { details, entry } = version
  const of = { ...crate.about, ...details }
  const facts = [
    fact('License', of.license ?? (of.license_file === undefined ? undefined : `see ${of.license_file}`)),
    fact('Rust', entry.rust_version ?? undefined),
    fact('Edition', of.edition),
    fact('Size', of.size === undefined ? undefined : size(of.size)),
    fact('Links', entry.links ?? undefined),
    fact('Homepage', outside(of.homepage)),
    fact('Repository', outside(of.repository)),
    fact('Documentation', outside(of.documentation)),
    fact('Authors', of.authors?.length ? of.authors.join(', ') : undefined),
    fact('Checksum', html`<span class="mono">${entry.cksum}</span>`),
  ]
  return html`<section class="card" aria-labelledby="about"><h2 id="about">About</h2>
<dl>${facts}</dl>
${tags(site.path, 'Keywords', of.keywords ?? [])}
${tags(undefined, 'Categories', of.categories ?? [])}</section>
${ownersCard(owners)}`
}

function fact(name: string, value: Html | string | undefined): Html | undefined {
  return value === undefined ? undefined : html`<dt>${name}</dt><dd>${value}</dd>\n`
}

/** A link that leads away, to nowhere but http and https. */
export function outside(address: string | undefined): Html | undefined {
  const url = safeUrl(address)
  if (url === undefined) return undefined
  const shown = `${url.host}${url.pathname === '/' ? '' : url.pathname}`.replace(/\/$/, '')
  return html`<a href="${url.href}" rel="nofollow noopener noreferrer">${shown}</a>`
}

/** With a path they lead to a search. */
function tags(path: string | undefined, title: string, words: readonly string[]): Html | undefined {
  if (words.length === 0) return undefined
  const items = words.map((word) => {
    const text =
      path === undefined
        ? word
        : html`<a href="${path}/-/?${new URLSearchParams({ q: word }).toString()}">${word}</a>`
    return html`<li class="tag">${text}</li>`
  })
  return html`<h3>${title}</h3><ul class="tags">${items}</ul>`
}

function ownersCard({ value = [], problem }: CratePage['owners']): Html | undefined {
  if (value.length === 0 && problem === undefined) return undefined
  const list = value.map(({ login, name }) => {
    return html`<li>${login}${name !== undefined && name !== login && html` <span class="quiet">${name}</span>`}</li>`
  })
  return html`<section class="card" aria-labelledby="owners"><h2 id="owners">Owners</h2>
${problem === undefined ? html`<ul>${list}</ul>` : html`<p class="quiet">Not known now: ${prose(problem)}.</p>`}</section>`
}
