import { escapeHtml, renderPage } from './page.ts'

export interface MePage {
  /** The registry's URL, mount included. */
  readonly base: string
  /** Where people make tokens by themselves: the path here, or the host's own page. */
  readonly tokens: string | undefined
}

/** The page behind `cargo login`: how to get a token and where to put it. */
export function mePage({ base, tokens }: MePage): string {
  const how =
    tokens === undefined
      ? 'Ask the people who run this registry for a token, or use one that you have for this host.'
      : `<a href="${escapeHtml(tokens)}">Sign in and make a token</a>, or use one that you have.`
  return renderPage('Token for this cargo registry', `<p>${how}</p>\n${usage(base)}`)
}

/** Where a token goes. */
export function usage(base: string): string {
  return `<p>Add the registry to <code>~/.cargo/config.toml</code>:</p>
<pre>[registries.local]
index = "sparse+${escapeHtml(base)}/"
credential-provider = "cargo:token"</pre>
<p>and log in; cargo asks for the token and keeps it:</p>
<pre>cargo login --registry local</pre>`
}
