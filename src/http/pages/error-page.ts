import type { CargoError } from '../../errors.ts'
import { html } from './html.ts'
import { renderPage, type Site } from './page.ts'
import { prose } from './prose.ts'

/** Why there is no such page, or why a form did nothing; `back` leads to where one can go on. */
export function errorPage(
  site: Site,
  { status, message }: Pick<CargoError, 'status' | 'message'>,
  { back, hint }: { readonly back: { readonly path: string; readonly text: string }; readonly hint?: string },
): string {
  return renderPage({
    site,
    title: titleOf(status),
    body: html`<div class="narrow"><p class="lead">${prose(`${message.charAt(0).toUpperCase()}${message.slice(1)}.`)}</p>
${hint !== undefined && html`<p>${hint}</p>\n`}<p><a href="${back.path}">${back.text}</a></p></div>`,
  })
}

function titleOf(status: number): string {
  if (status === 401) return 'Please sign in'
  if (status === 404) return 'Not found'
  if (status >= 500) return 'Not available right now'
  return 'This did not work'
}
