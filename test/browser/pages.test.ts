import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { barriersOn, type OpenPage, startBrowser } from '../support/browser.ts'
import { startSample } from './sample.ts'

const LOOKS = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 360 },
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'light', width: 360 },
] as const

/** What a browser says of a 404 that it was led to; it is no fault of the page. */
const IS_404 = /the server responded with a status of 404/

test('pages can be read and used by all, in light and dark, on a phone and on a desk', async (t) => {
  const [browser, { app, as }, empty] = await Promise.all([startBrowser(t), startSample(t), startApp(t)])
  const pages = [
    `${app.url}/-/?page=2`,
    `${app.url}/-/crates/acme-log`,
    `${app.url}/-/crates/acme-log/1.28.0`,
    `${app.url}/-/crates/serde`,
    `${app.url}/-/crates/nothing`,
    `${app.url}/me/tokens`,
    `${empty.url}/-/`,
    `${empty.url}/me`,
  ]
  for (const [i, { colorScheme, width }] of LOOKS.entries()) {
    const { page, takeComplaints, takeRequests, close } = await browser.open({
      colorScheme,
      viewport: { width, height: 800 },
    })
    for (const url of pages) {
      const what = `${url} ${colorScheme} ${width}`
      const isOfOther = url.startsWith(empty.url)
      await page.setExtraHTTPHeaders(isOfOther ? {} : { authorization: as })
      const response = await page.goto(url)
      assert.equal(response?.status(), url.endsWith('nothing') ? 404 : 200, what)
      assert.deepEqual(
        takeComplaints().filter((text) => !IS_404.test(text)),
        [],
        what,
      )
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      assert.equal(overflow, 0, `${what} scrolls sideways`)
      assert.deepEqual(takeRequests(), [url], what)
      // Both schemes and both widths; each of the four would only take longer.
      if (i > 1) continue
      // What is folded away is read too.
      await page.evaluate('document.querySelectorAll("details").forEach((it) => { it.open = true })')
      assert.deepEqual(await barriersOn(page), [], what)
    }
    await close()
  }
})

test('the keyboard reaches everything, and shows where it is', async (t) => {
  const [browser, { app, as }] = await Promise.all([startBrowser(t), startSample(t)])
  const { page } = await browser.open({ extraHTTPHeaders: { authorization: as } })
  await page.goto(`${app.url}/-/crates/acme-log`)
  const stops = await tabStops(page, 300)
  assert.deepEqual(stops.slice(0, 6), [
    'a Skip to the content',
    'a Cargo registry',
    'input q',
    'button Search',
    'a Crates',
    'a Tokens',
  ])
  const wanted = [
    'a README',
    'a acme.example/log',
    'a guide',
    'div Table',
    'div Versions',
    'a 1.29.0',
    'a acme-core',
    'summary 2 features',
    'summary The same as a table',
    'summary In detail',
  ]
  for (const stop of wanted) assert.ok(stops.includes(stop), `${stop} in ${stops.join(', ')}`)
  assert.ok(stops.some((stop) => stop.startsWith('pre cargo add acme-log')))

  await page.goto(`${app.url}/-/crates/acme-log`)
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate('document.activeElement.getBoundingClientRect().top >= 0'), true)
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  assert.match(await focused(page), /^a README/)
  await page.locator('summary', { hasText: 'features' }).focus()
  await page.keyboard.press('Enter')
  assert.equal(await page.locator('details[open]').count(), 1)

  await page.focus('#q')
  await page.keyboard.type('number 7')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/-/?q=number+7')
  assert.deepEqual(await page.locator('.hits h2').allInnerTexts(), [
    'acme-crate-number-17',
    'acme-crate-number-27',
    'acme-crate-number-7',
  ])
})

/** The elements that Tab reaches one after the other, until it leaves the page; each must show that it is reached. */
async function tabStops(page: OpenPage['page'], limit: number): Promise<readonly string[]> {
  const stops: string[] = []
  while (stops.length < limit) {
    await page.keyboard.press('Tab')
    const stop = await focused(page)
    if (stop === '') break
    stops.push(stop)
    assert.match(
      await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'),
      /^(solid|auto)$/,
      stop,
    )
  }
  return stops
}

function focused(page: OpenPage['page']): Promise<string> {
  return page.evaluate(`(() => {
    const it = document.activeElement
    if (it === document.body || it === null) return ''
    const label = it.getAttribute('aria-label') || it.id || it.textContent.trim()
    return it.localName + ' ' + label
  })()`)
}
