import { addDays } from '../../protocol/day.ts'
import type { CrateDownloads } from '../../registry/download-counts.ts'
import { type Html, html } from './html.ts'
import { count, counted, scrolling, day as written } from './written.ts'

const DAYS = 90
/** In the units of the drawing: a day's share, its bar, and what is around the bars. */
const [STEP, BAR, HEIGHT, LEFT, TOP, BOTTOM] = [7, 5, 130, 52, 12, 28]
const WIDTH = LEFT + DAYS * STEP

interface Day {
  readonly day: string
  readonly downloads: number
}

/** The downloads of the last 90 days as a plot, and as a table for who cannot see or wants to know. */
export function downloadsPlot(downloads: CrateDownloads, today: string): Html {
  const days = lastDays(downloads, today)
  const sum = days.reduce((total, day) => total + day.downloads, 0)
  const words = `${counted(downloads.total, 'download')} in all, ${count(sum)} of them in the last ${DAYS} days.`
  if (downloads.total === 0) return html`<p class="quiet">No download from here has been counted yet.</p>`
  if (sum === 0) return html`<p>${words}</p>`
  const busy = days.filter((day) => day.downloads > 0).toReversed()
  return html`<p>${words}</p>
<figure>${plot(days, sum)}</figure>
<details><summary>The same as a table</summary>
${scrolling(
  'Downloads by day',
  html`<table>
<thead><tr><th scope="col">Day</th><th scope="col" class="number">Downloads</th></tr></thead>
<tbody>${busy.map(({ day, downloads }) => html`<tr><th scope="row">${written(day)}</th><td class="number">${count(downloads)}</td></tr>\n`)}</tbody>
</table>`,
)}<p class="quiet small">Days without downloads are left out. Days are in UTC.</p></details>`
}

function lastDays({ days }: CrateDownloads, today: string): readonly Day[] {
  const byDay = new Map(
    days.map(({ day, versions }) => [day, [...versions.values()].reduce((a, b) => a + b, 0)]),
  )
  return Array.from({ length: DAYS }, (_, i) => {
    const day = addDays(today, i - DAYS + 1)
    return { day, downloads: byDay.get(day) ?? 0 }
  })
}

function plot(days: readonly Day[], sum: number): Html {
  const highest = Math.max(...days.map(({ downloads }) => downloads))
  const top = roundUp(highest)
  const [first, last] = [days[0]?.day ?? '', days.at(-1)?.day ?? '']
  const y = (value: number) => TOP + HEIGHT - (value / top) * HEIGHT
  const bars = days.map(({ day, downloads }, i) => {
    if (downloads === 0) return undefined
    // What is there can be seen, however small it is beside the highest.
    const at = Math.min(y(downloads), TOP + HEIGHT - 1.5)
    return html`<rect x="${LEFT + i * STEP + 1}" y="${at.toFixed(1)}" width="${BAR}" height="${(TOP + HEIGHT - at).toFixed(1)}" rx="1"><title>${day}: ${count(downloads)}</title></rect>`
  })
  const line = (value: number) =>
    html`<line x1="${LEFT}" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${TOP + HEIGHT + BOTTOM}" role="img" aria-labelledby="plot-title plot-text">
<title id="plot-title">Downloads by day, ${first} to ${last}</title>
<desc id="plot-text">${counted(sum, 'download')} in ${DAYS} days, at most ${count(highest)} on one day.</desc>
<g aria-hidden="true">${line(0)}${top > 1 && line(top / 2)}${line(top)}
<text x="${LEFT}" y="${TOP + HEIGHT + 20}">${first}</text><text x="${WIDTH}" y="${TOP + HEIGHT + 20}" text-anchor="end">${last}</text></g>
${bars}
</svg>`
}

/** `1.2K` for 1200: what stands beside the plot has little room. */
function short(value: number): string {
  return value.toLocaleString('en', { notation: 'compact' })
}

/** The next number that halves well and begins with 1, 2 or 4. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value))
  const factor = [1, 2, 4, 6, 8, 10].find((one) => one * unit >= value) ?? 10
  return factor * unit
}
