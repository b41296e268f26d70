import type { CratePage } from './crate-page.ts'
import { type Html, html } from './html.ts'

/** What the registry is called in everything that people copy. */
export const REGISTRY = 'local'

/** Where a token goes. */
export function loginLines(base: string): Html {
  return html`<p>Add the registry to <code>~/.cargo/config.toml</code>:</p>
${configLines(base)}
<p>and log in; cargo asks for the token and keeps it:</p>
${code(`cargo login --registry ${REGISTRY}`)}`
}

/** How the first crate gets here. */
export function publishLines(base: string): Html {
  return html`${loginLines(base)}
<p>Then, in the folder of a crate:</p>
${code(`cargo publish --registry ${REGISTRY}`)}`
}

/** How a crate is used from here; what comes from an uplink is added as a crate of crates.io. */
export function addLines({
  site,
  crate,
  version,
  isChosen,
}: Pick<CratePage, 'site' | 'crate' | 'version' | 'isChosen'>): Html {
  const isLocal = crate.source === 'local'
  const number = version.entry.vers.replace(/\+.*/, '')
  const exact = isChosen ? `@=${number}` : ''
  const line = isLocal ? `{ version = "${number}", registry = "${REGISTRY}" }` : `"${number}"`
  return html`<p>Run in your project:</p>
${code(`cargo add ${crate.name}${exact}${isLocal ? ` --registry ${REGISTRY}` : ''}`)}
<p>or write in <code>Cargo.toml</code>:</p>
${code(`${crate.name} = ${isChosen ? line.replace(`"${number}"`, `"=${number}"`) : line}`)}
<p>Cargo must know this registry: once, in <code>~/.cargo/config.toml</code>,</p>
${configLines(site.base, { replace: !isLocal })}
<p><a href="${site.path}/me">A token</a> is for publishing, and for reading where that needs a login.</p>`
}

/** The settings of cargo for this registry; with `replace`, also for what comes from crates.io. */
export function configLines(base: string, { replace = false } = {}): Html {
  const source = replace ? `\n\n[source.crates-io]\nreplace-with = "${REGISTRY}"` : ''
  return code(
    `[registries.${REGISTRY}]\nindex = "sparse+${base}/"\ncredential-provider = "cargo:token"${source}`,
  )
}

/** Lines to copy; they scroll, so the keyboard must reach them. */
export function code(text: string): Html {
  return html`<pre tabindex="0">${text}</pre>`
}
