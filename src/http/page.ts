import { createHash } from 'node:crypto'
import type { CargoContext } from './context.ts'

const STYLE = [
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}',
  'pre{overflow:auto;padding:.75rem;border:1px solid}',
  'table{border-collapse:collapse;width:100%}',
  'th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid}',
  'td{overflow-wrap:anywhere}',
  'fieldset{margin:0 0 1rem}',
  'input,select,textarea,button{font:inherit}',
  'input[type=text],textarea{width:100%;box-sizing:border-box}',
].join('')

/** Nothing is loaded, run or framed, and forms lead here only. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A whole page; `body` is HTML. Works without JavaScript. */
export function renderPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`
}

/** Answers with a page. */
export function sendPage(ctx: CargoContext, html: string): void {
  ctx.set('Content-Security-Policy', POLICY)
  ctx.set('X-Content-Type-Options', 'nosniff')
  // `no-referrer` would take the `Origin` away from forms.
  ctx.set('Referrer-Policy', 'same-origin')
  ctx.type = 'html'
  ctx.body = html
}

/** Text as HTML, in an element or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`)
}
