import type { IndexDep, IndexEntry } from '../../protocol/index-entry.ts'
import { type Html, html } from './html.ts'
import type { Site } from './page.ts'
import { scrolling } from './written.ts'

const KINDS = [
  ['normal', 'Normal', 'Normal dependencies'],
  ['build', 'Build', 'Build dependencies'],
  ['dev', 'Development', 'Development dependencies'],
] as const

const CRATES_IO = new Set(['https://github.com/rust-lang/crates.io-index', 'sparse+https://index.crates.io/'])

/** What a version depends on, by kind. */
export function dependencies(site: Site, { deps }: IndexEntry): Html {
  if (deps.length === 0) return html`<p class="quiet">It depends on nothing.</p>`
  return html`<div class="dependencies">${KINDS.map(([kind, title, label]) => {
    const some = deps.filter((dep) => dep.kind === kind)
    return (
      some.length > 0 &&
      html`<h3>${title}</h3>
${scrolling(
  label,
  html`<table>
<thead><tr><th scope="col">Crate</th><th scope="col">Requirement</th><th scope="col">Particulars</th></tr></thead>
<tbody>${some.map((dep) => row(site, dep))}</tbody>
</table>`,
)}`
    )
  })}</div>`
}

function row(site: Site, dep: IndexDep): Html {
  return html`<tr><th scope="row">${crateLink(site, dep)}</th><td><code>${dep.req}</code></td><td>${particulars(dep)}</td></tr>
`
}

function crateLink(site: Site, { name, package: real, registry }: IndexDep): Html {
  const crate = real ?? name
  const path = encodeURIComponent(crate)
  if (registry === undefined || registry === null)
    return html`<a href="${site.path}/-/crates/${path}">${crate}</a>`
  if (!CRATES_IO.has(registry)) return html`${crate}`
  return html`<a href="https://crates.io/crates/${path}" rel="nofollow noopener noreferrer">${crate}</a>`
}

function particulars(dep: IndexDep): Html {
  const { name, package: real, registry, optional, target, features, default_features } = dep
  const parts: readonly (Html | string | false)[] = [
    optional && 'optional',
    typeof real === 'string' && real !== name && html`called <code>${name}</code>`,
    typeof target === 'string' && html`only for <code>${target}</code>`,
    !default_features && 'without default features',
    features.length > 0 &&
      html`with ${features.map((feature, i) => html`${i > 0 && ', '}<code>${feature}</code>`)}`,
    typeof registry === 'string' &&
      (CRATES_IO.has(registry) ? 'from crates.io' : html`from <code>${registry}</code>`),
  ]
  const said = parts.filter((part) => part !== false)
  return html`${said.map((part, i) => html`${i > 0 && '; '}${part}`)}`
}
