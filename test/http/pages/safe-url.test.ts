import assert from 'node:assert/strict'
import { test } from 'node:test'
import { safeUrl } from '../../../src/http/pages/safe-url.ts'
import { EVIL_URLS } from '../../browser/payloads.ts'

test('safeUrl() takes whole addresses of http and https', () => {
  for (const [text, href] of [
    ['https://a.example', 'https://a.example/'],
    ['HTTP://A.example:8080/b?c#d', 'http://a.example:8080/b?c#d'],
    ['https://a.example/ü', 'https://a.example/%C3%BC'],
  ])
    assert.equal(safeUrl(text)?.href, href)
})

test('safeUrl() takes nothing that leads elsewhere than it says', () => {
  const harmless = EVIL_URLS.filter((url) => url.startsWith('https://a.example/'))
  for (const url of EVIL_URLS) {
    if (!harmless.includes(url)) assert.equal(safeUrl(url), undefined, url)
    else assert.match(safeUrl(url)?.href ?? '', /^https:\/\/a\.example\/[^"<>]*$/)
  }
  for (const url of [
    undefined,
    '',
    'a.example',
    'https://',
    'https:///',
    `https://a.example/${'x'.repeat(2000)}`,
  ])
    assert.equal(safeUrl(url), undefined, url)
})
