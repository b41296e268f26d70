import assert from 'node:assert/strict'
import { test } from 'node:test'
import { downloadsPlot } from '../../../src/http/pages/downloads-plot.ts'
import { markupOf } from '../../../src/http/pages/html.ts'

const TODAY = '2026-03-01'

function plot(days: Readonly<Record<string, readonly number[]>>, total = 5000): string {
  const list = Object.entries(days).map(([day, counts]) => ({
    day,
    versions: new Map(counts.map((count, i) => [`1.${i}.0`, count])),
  }))
  return markupOf(downloadsPlot({ total, recent: 0, versions: new Map(), days: list }, TODAY))
}

test('downloadsPlot() draws a bar for each of the last 90 days that has downloads, all versions together', () => {
  const markup = plot({ '2025-12-01': [9], '2025-12-02': [5], '2026-02-28': [100, 50], '2026-03-01': [300] })
  assert.deepEqual(
    [
      ...markup.matchAll(/<rect x="(\d+)" y="([\d.]+)" width="5" height="([\d.]+)" rx="1"><title>([^<]+)</g),
    ].map((found) => found.slice(1)),
    [
      ['53', '140.4', '1.6', '2025-12-02: 5'],
      ['669', '93.3', '48.8', '2026-02-28: 150'],
      ['676', '44.5', '97.5', '2026-03-01: 300'],
    ],
  )
  assert.match(markup, /5,000 downloads in all, 455 of them in the last 90 days\./)
  assert.match(markup, /<title id="plot-title">Downloads by day, 2025-12-02 to 2026-03-01<\/title>/)
  assert.match(markup, /<desc id="plot-text">455 downloads in 90 days, at most 300 on one day\.<\/desc>/)
})

test('downloadsPlot() has the same as a table, the latest day first', () => {
  const markup = plot({ '2026-02-27': [1200], '2026-03-01': [3] })
  assert.deepEqual(
    [...markup.matchAll(/<time datetime="([\d-]+)">\1<\/time><\/th><td class="number">([\d,]+)</g)].map(
      (found) => found.slice(1),
    ),
    [
      ['2026-03-01', '3'],
      ['2026-02-27', '1,200'],
    ],
  )
})

test('downloadsPlot() has round numbers beside it, and shows the smallest bar', () => {
  const labels = (most: number) =>
    [...plot({ [TODAY]: [most] }).matchAll(/text-anchor="end">([^<]+)</g)].map(([, text]) => text)
  assert.deepEqual(labels(1), ['0', '1', '2026-03-01'])
  assert.deepEqual(labels(3), ['0', '2', '4', '2026-03-01'])
  assert.deepEqual(labels(150), ['0', '100', '200', '2026-03-01'])
  assert.deepEqual(labels(1_100_000), ['0', '1M', '2M', '2026-03-01'])
  assert.match(
    plot({ '2026-02-28': [1], '2026-03-01': [1_000_000] }),
    /height="1\.5" rx="1"><title>2026-02-28: 1</,
  )
})

test('downloadsPlot() says so where there is nothing to draw', () => {
  assert.equal(plot({}, 0), '<p class="quiet">No download from here has been counted yet.</p>')
  assert.equal(plot({}, 1), '<p>1 download in all, 0 of them in the last 90 days.</p>')
})
