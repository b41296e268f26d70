import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type OpenPage, startBrowser } from '../support/browser.ts'
import type { Verdaccio } from './host.ts'

/** Verdaccio's own pages have a link to those of the crates, wherever one is in them, and show none themselves. */
export async function pagesLinkToCrates(t: TestContext, { origin, url }: Verdaccio): Promise<void> {
  const browser = await startBrowser(t)
  const { page, takeComplaints } = await browser.open({ viewport: { width: 1280, height: 800 } })
  for (const path of ['/', '/-/web/detail/hello-npm']) {
    await page.goto(origin + path)
    await page.getByText('hello-npm').first().waitFor()
    assert.ok(!(await page.content()).includes('hello-cargo'), path)
    await followLink(page, url)
    assert.ok((await page.locator('main').innerText()).includes('hello-cargo'))
  }
  assert.deepEqual(
    takeComplaints().filter((text) => /cargo|Content Security Policy/i.test(text)),
    [],
  )
}

export interface PrefixedPages {
  /** Verdaccio's URL, with the prefix and without a final slash. */
  readonly host: string
  /** The registry's. */
  readonly url: string
  readonly crates: readonly string[]
}

/** Below a prefix the link leads to the pages, and all that they link to, load and send is there, too. */
export async function pagesWorkBelowPrefix(
  t: TestContext,
  { host, url, crates }: PrefixedPages,
): Promise<void> {
  const browser = await startBrowser(t)
  const { page, takeComplaints, takeRequests } = await browser.open()
  await page.goto(`${host}/`)
  await followLink(page, url)
  // Verdaccio itself asks for some of its scripts without the prefix.
  const ours = new Set(takeRequests().filter((asked) => asked.includes('/crates/')))
  assert.deepEqual([...ours], [`${url}/-/verdaccio.js`, `${url}/-/`])
  assert.deepEqual(
    takeComplaints().filter((text) => text.includes('/crates/')),
    [],
  )

  const visited = new Set<string>()
  const waiting = [`${url}/-/`]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (visited.has(next)) continue
    visited.add(next)
    const answer = await page.request.get(next)
    assert.equal(answer.status(), 200, next)
    if (!answer.headers()['content-type']?.startsWith('text/html')) continue
    await page.goto(next)
    assert.deepEqual(takeComplaints(), [], next)
    assert.deepEqual(takeRequests(), [next])
    // What the policy does not let in is no style sheet.
    assert.equal(await page.evaluate('document.styleSheets.length'), 1, next)
    const links: readonly string[] = await page.evaluate('[...document.links].map((it) => it.href)')
    const own = links.filter((link) => new URL(link).origin === new URL(url).origin)
    for (const link of own) assert.ok(link.startsWith(`${url}/`), `${next} leads to ${link}`)
    waiting.push(...own.map((link) => link.replace(/#.*/, '')))
  }
  for (const crate of crates) assert.ok(visited.has(`${url}/-/crates/${crate}`), [...visited].join('\n'))
  assert.ok(visited.has(`${url}/me`))

  await page.goto(url)
  assert.equal(page.url(), `${url}/-/`)
  await page.fill('#q', 'user')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${url}/-/?q=user`)
  assert.deepEqual(await page.locator('.hits h2').allInnerTexts(), ['prefixed-user'])
  await page.goto(`${url}/-/crates/Prefixed_User`)
  assert.equal(page.url(), `${url}/-/crates/prefixed-user`)
  assert.deepEqual(takeComplaints(), [])
}

/** Goes from a page of Verdaccio's to those of the crates. */
async function followLink(page: OpenPage['page'], url: string): Promise<void> {
  // On a busy machine Verdaccio's own page stayed empty once; whoever sees that loads it again.
  const header = page.getByTestId('header-right')
  await header.waitFor({ timeout: 20_000 }).catch(() => page.reload())
  const link = page.getByRole('link', { name: 'Crates', exact: true })
  await link.click({ timeout: 20_000 })
  await page.waitForURL(`${url}/-/`)
}
