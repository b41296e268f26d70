import { html } from './html.ts'
import { renderPage, type Site } from './page.ts'
import { loginLines } from './usage.ts'

export interface MePage {
  readonly site: Site
  /** Where people make tokens by themselves: the path here, or the host's own page. */
  readonly tokens: string | undefined
}

/** The page behind `cargo login`: how to get a token and where to put it. */
export function mePage({ site, tokens }: MePage): string {
  const how =
    tokens === undefined
      ? 'Ask the people who run this registry for a token, or use one that you have for this host.'
      : html`<a href="${tokens}">Sign in and make a token</a>, or use one that you have.`
  return renderPage({
    site,
    title: 'Token for this cargo registry',
    current: 'tokens',
    body: html`<div class="narrow"><p>${how}</p>\n${loginLines(site.base)}</div>`,
  })
}
