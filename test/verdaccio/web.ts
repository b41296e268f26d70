import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { startBrowser } from '../support/browser.ts'
import type { Verdaccio } from './host.ts'

/** Verdaccio's own pages have a link to those of the crates, wherever one is in them. */
export async function pagesLinkToCrates(t: TestContext, { origin, url }: Verdaccio): Promise<void> {
  const browser = await startBrowser(t)
  const { page, takeComplaints } = await browser.open({ viewport: { width: 1280, height: 800 } })
  for (const path of ['/', '/-/web/detail/hello-npm']) {
    await page.goto(origin + path)
    const link = page.getByRole('link', { name: 'Crates', exact: true })
    await link.click({ timeout: 20_000 })
    await page.waitForURL(`${url}/-/`)
    assert.ok((await page.locator('main').innerText()).includes('hello-cargo'))
  }
  assert.deepEqual(
    takeComplaints().filter((text) => /cargo|Content Security Policy/i.test(text)),
    [],
  )
}
