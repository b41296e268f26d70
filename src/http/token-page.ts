import { ACTIONS, type IssuedToken } from '../host.ts'
import { usage } from './me-page.ts'
import { escapeHtml, renderPage } from './page.ts'

export interface TokenPage {
  readonly user: string
  /** The path of the page itself; every form's address begins so. */
  readonly path: string
  /** The registry's URL, mount included. */
  readonly base: string
  readonly tokens: readonly IssuedToken[]
  /** Goes with every form: see `FormSeal`. */
  readonly seal: string
  readonly now: Date
}

/** What a token may do when its maker says nothing else. */
const USUAL: ReadonlySet<string> = new Set(['publish', 'yank'])
const LIFETIMES = [
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['90d', '90 days'],
  ['365d', 'a year'],
  ['', 'for ever'],
] as const
const USUAL_LIFETIME = '90d'

/** A person's tokens, a form that makes one, and one that revokes each. */
export function tokenPage(page: TokenPage): string {
  return renderPage(
    'Your tokens',
    `<p>Signed in as <strong>${escapeHtml(page.user)}</strong>.</p>
${tokenTable(page)}
${creationForm(page)}
<h2>Use a token</h2>
${usage(page.base)}`,
  )
}

/** A token's text, for this once. */
export function newTokenPage(
  { path, base }: Pick<TokenPage, 'path' | 'base'>,
  token: string,
  name: string,
): string {
  return renderPage(
    'Your new token',
    `<p>This is the token <strong>${escapeHtml(name)}</strong>. It is shown only this once:</p>
<pre>${escapeHtml(token)}</pre>
${usage(base)}
<p><a href="${escapeHtml(path)}">Back to your tokens</a></p>`,
  )
}

/** Why a form or page was refused. */
export function refusalPage(path: string, reason: string): string {
  return renderPage(
    'This did not work',
    `<p>${escapeHtml(reason)}</p>
<p><a href="${escapeHtml(path)}">To your tokens</a></p>`,
  )
}

function tokenTable({ tokens, ...page }: TokenPage): string {
  if (tokens.length === 0) return '<p>You have no tokens yet.</p>'
  const rows = tokens.map((token) => tokenRow(token, page))
  return `<table>
<tr><th>Name</th><th>Id</th><th>Made</th><th>Expires</th><th>May</th><th>Crates</th><th></th></tr>
${rows.join('\n')}
</table>`
}

function tokenRow(token: IssuedToken, { path, seal, now }: Omit<TokenPage, 'tokens'>): string {
  const { id, name, created, expires, actions, crates } = token
  const isExpired = expires !== undefined && Date.parse(expires) <= now.getTime()
  const cells = [
    name === '' ? '–' : name,
    id,
    day(created),
    expires === undefined ? 'never' : `${day(expires)}${isExpired ? ' (expired)' : ''}`,
    actions === undefined ? 'everything that you may' : actions.join(', '),
    crates === undefined ? 'all' : crates.join(', '),
  ].map((text) => `<td>${escapeHtml(text)}</td>`)
  const label = `Revoke token ${name === '' ? id : name}`
  return `<tr>${cells.join('')}<td><form method="post" action="${escapeHtml(`${path}/${encodeURIComponent(id)}/revoke`)}">
${sealField(seal)}<button aria-label="${escapeHtml(label)}">Revoke</button></form></td></tr>`
}

function creationForm({ path, seal }: TokenPage): string {
  const boxes = ACTIONS.filter((action) => action !== 'read').map(
    (action) =>
      `<label><input type="checkbox" name="action" value="${action}"${USUAL.has(action) ? ' checked' : ''}> ${action}</label>`,
  )
  const lifetimes = LIFETIMES.map(
    ([value, text]) =>
      `<option value="${value}"${value === USUAL_LIFETIME ? ' selected' : ''}>${text}</option>`,
  )
  return `<h2>Make a token</h2>
<form method="post" action="${escapeHtml(path)}">
${sealField(seal)}<p><label>Name, such as the machine that uses it<br><input type="text" name="name" maxlength="100" required></label></p>
<p><label>Works for <select name="expires">${lifetimes.join('')}</select></label></p>
<fieldset><legend>It may do what you may, of this</legend>
${boxes.join('\n')}
<p>Reading it may like you. With no box checked it may only read.</p></fieldset>
<p><label>Only for these crates, such as <code>acme-*</code>; empty: all<br><textarea name="crates" rows="2"></textarea></label></p>
<p><button>Make the token</button></p>
</form>`
}

function sealField(seal: string): string {
  return `<input type="hidden" name="seal" value="${escapeHtml(seal)}">`
}

function day(time: string): string {
  return time.slice(0, 10)
}
