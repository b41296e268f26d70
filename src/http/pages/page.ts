import { createHash } from 'node:crypto'
import type { CargoContext } from '../context.ts'
import { type Html, html, markupOf, trusted } from './html.ts'
import { STYLE } from './style.ts'

/** Nothing is loaded, run or framed, and forms lead here only. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What is sent with every page, whatever is on it. */
const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  // `no-referrer` would take the `Origin` away from forms.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const

/** For whom a page is made, and where. */
export interface Site {
  /** The registry's URL, mount included, no final slash. */
  readonly base: string
  /** The path of it: a browser may know this registry by another host name than the registry does. */
  readonly path: string
  /** Who is signed in. */
  readonly user: string | undefined
}

export interface Page {
  readonly site: Site
  readonly title: string
  /** Instead of `title` as the heading. */
  readonly heading?: Html
  /** The link of the navigation that leads to this page. */
  readonly current?: 'crates' | 'tokens'
  /** What is in the search box. */
  readonly query?: string
  /** What stands above the heading and is part of the head of the page. */
  readonly body: Html
}

/** A whole page. Works without JavaScript. */
export function renderPage({ site, title, heading, current, query, body }: Page): string {
  return markupOf(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Cargo registry</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${header(site, current, query)}
<main class="wrap" id="main" tabindex="-1">
${heading ?? html`<h1>${title}</h1>`}
${body}
</main>
<footer class="foot"><div class="wrap">Cargo registry at <span class="mono">sparse+${site.base}/</span></div></footer>
</body>
</html>
`)
}

/** Answers with a page. */
export function sendPage(ctx: CargoContext, page: string): void {
  ctx.set(HEADERS)
  ctx.type = 'html'
  ctx.body = page
}

function header({ path, user }: Site, current: Page['current'], query = ''): Html {
  const at = (name: Page['current']) => current === name && html` aria-current="page"`
  return html`<header class="top"><div class="wrap">
<a class="brand" href="${path}/-/">${LOGO}<span>Cargo registry</span></a>
<form role="search" action="${path}/-/"><label class="visually-hidden" for="q">Search crates</label>
<input type="search" id="q" name="q" value="${query}" placeholder="Search crates" maxlength="200" autocomplete="off" spellcheck="false"><button>Search</button></form>
<nav aria-label="Registry"><a href="${path}/-/"${at('crates')}>Crates</a><a href="${path}/me"${at('tokens')}>Tokens</a>${
    user !== undefined && html`<span class="quiet small">Signed in as ${user}</span>`
  }</nav>
</div></header>`
}

/** A crate. */
const LOGO = html`<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" aria-hidden="true"><path d="M12 2.5 20.5 7v10L12 21.5 3.5 17V7z"/><path d="M3.5 7 12 11.5 20.5 7M12 11.5v10M7.8 4.8l8.5 4.5"/></svg>`
