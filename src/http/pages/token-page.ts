import { ACTIONS, type IssuedToken } from '../../host.ts'
import { type Html, html } from './html.ts'
import { renderPage, type Site } from './page.ts'
import { code, loginLines } from './usage.ts'
import { day, scrolling } from './written.ts'

export interface TokenPage {
  readonly site: Site
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
  const { site } = page
  return renderPage({
    site,
    title: 'Your tokens',
    current: 'tokens',
    body: html`<p>Signed in as <strong>${site.user}</strong>.</p>
${tokenTable(page)}
<div class="narrow">${creationForm(page)}
<h2>Use a token</h2>
${loginLines(site.base)}</div>`,
  })
}

/** A token's text, for this once. */
export function newTokenPage(site: Site, token: string, name: string): string {
  return renderPage({
    site,
    title: 'Your new token',
    body: html`<div class="narrow"><p>This is the token <strong>${name}</strong>. It is shown only this once:</p>
${code(token)}
${loginLines(site.base)}
<p><a href="${tokensPath(site)}">Back to your tokens</a></p></div>`,
  })
}

/** Where people make tokens. */
export function tokensPath({ path }: Pick<Site, 'path'>): string {
  return `${path}/me/tokens`
}

function tokenTable({ tokens, ...page }: TokenPage): Html {
  if (tokens.length === 0) return html`<p>You have no tokens yet.</p>`
  const heads = ['Name', 'Id', 'Made', 'Expires', 'May', 'Crates'].map(
    (text) => html`<th scope="col">${text}</th>`,
  )
  return scrolling(
    'Your tokens',
    html`<table>
<thead><tr>${heads}<th scope="col"><span class="visually-hidden">Revoke</span></th></tr></thead>
<tbody>${tokens.map((token) => tokenRow(token, page))}</tbody>
</table>`,
    'wide',
  )
}

function tokenRow(token: IssuedToken, { site, seal, now }: Omit<TokenPage, 'tokens'>): Html {
  const { id, name, created, expires, actions, crates } = token
  const isExpired = expires !== undefined && Date.parse(expires) <= now.getTime()
  const action = `${tokensPath(site)}/${encodeURIComponent(id)}/revoke`
  return html`<tr><td>${name === '' ? '–' : name}</td><td class="mono">${id}</td><td>${day(created)}</td>
<td>${expires === undefined ? 'never' : day(expires)}${isExpired && ' (expired)'}</td>
<td>${actions === undefined ? 'everything that you may' : actions.join(', ')}</td>
<td>${crates === undefined ? 'all' : crates.join(', ')}</td>
<td><form method="post" action="${action}">${sealField(seal)}<button class="plain" aria-label="${`Revoke token ${name === '' ? id : name}`}">Revoke</button></form></td></tr>
`
}

function creationForm({ site, seal }: TokenPage): Html {
  const boxes = ACTIONS.filter((action) => action !== 'read').map(
    (action) =>
      html`<label><input type="checkbox" name="action" value="${action}"${USUAL.has(action) && html` checked`}> ${action}</label>\n`,
  )
  const lifetimes = LIFETIMES.map(
    ([value, text]) =>
      html`<option value="${value}"${value === USUAL_LIFETIME && html` selected`}>${text}</option>`,
  )
  return html`<h2>Make a token</h2>
<form method="post" action="${tokensPath(site)}">
${sealField(seal)}<p><label class="field" for="name">Name, such as the machine that uses it</label><input type="text" id="name" name="name" maxlength="100" required></p>
<p><label class="field" for="expires">Works for</label><select id="expires" name="expires">${lifetimes}</select></p>
<fieldset><legend>It may do what you may, of this</legend>
${boxes}<p>Reading it may like you. With no box checked it may only read.</p></fieldset>
<p><label class="field" for="crates">Only for these crates, such as <code>acme-*</code>; empty: all</label><textarea id="crates" name="crates" rows="2"></textarea></p>
<p><button>Make the token</button></p>
</form>`
}

function sealField(seal: string): Html {
  return html`<input type="hidden" name="seal" value="${seal}">`
}
