import type { TokenStep } from '../../host.ts'
import { type Html, html } from './html.ts'
import { renderPage, type Site } from './page.ts'
import { code, loginLines } from './usage.ts'

export interface MePage {
  readonly site: Site
  /** Where people make tokens by themselves: the path here, or the host's own page. */
  readonly tokens: string | undefined
  /** What people do instead at a command line. */
  readonly steps: readonly TokenStep[]
}

/** The page behind `cargo login`: how to get a token and where to put it. */
export function mePage({ site, tokens, steps }: MePage): string {
  return renderPage({
    site,
    title: 'Token for this cargo registry',
    current: 'tokens',
    body: html`<div class="narrow">${wayToToken(tokens, steps)}\n${loginLines(site.base)}</div>`,
  })
}

function wayToToken(page: string | undefined, steps: readonly TokenStep[]): Html | readonly Html[] {
  if (page !== undefined)
    return html`<p><a href="${page}">Sign in and make a token</a>, or use one that you have.</p>`
  if (steps.length > 0) return steps.map(({ text, command }) => html`<p>${text}</p>\n${code(command)}\n`)
  return html`<p>Ask the people who run this registry for a token, or use one that you have for this host.</p>`
}
