import { renderMarkdown } from './markdown.ts'
import { median } from './rows.ts'

/** What one `cargo fetch` took, and what it made the uplink do. */
export interface Fetch {
  readonly seconds: number
  /** The paths that the uplink was asked for, but for its `config.json`. */
  readonly requests: readonly string[]
}

/** The rounds of one way to fetch. */
export interface ColdResult {
  readonly name: string
  readonly fetches: readonly Fetch[]
}

/** The median of the wall times. */
export function seconds({ fetches }: ColdResult): number {
  return median(fetches.map((fetch) => fetch.seconds))
}

/** How many requests were for what cargo never asked for, or were repeated; the median of the rounds, as a share too. */
export function waste({ fetches }: ColdResult, needed: ReadonlySet<string>) {
  const wasted = fetches.map(({ requests }) => {
    const useful = [...new Set(requests)].filter((path) => needed.has(path))
    return requests.length - useful.length
  })
  const shares = fetches.map(({ requests }, round) => (wasted[round] ?? 0) / Math.max(1, requests.length))
  return { requests: median(wasted), share: median(shares) }
}

/** A table in Markdown: medians; times against that of each of the two named results. */
export function renderColdTable(
  results: readonly ColdResult[],
  beside: readonly ColdResult[],
  needed: ReadonlySet<string>,
): string {
  const rows = results.map((result) => {
    const times = result.fetches.map((fetch) => fetch.seconds)
    const wasted = waste(result, needed)
    return [
      result.name,
      seconds(result).toFixed(2),
      `${Math.min(...times).toFixed(2)}–${Math.max(...times).toFixed(2)}`,
      ...beside.map((other) => (seconds(result) / seconds(other)).toFixed(2)),
      String(median(result.fetches.map(({ requests }) => requests.length))),
      String(wasted.requests),
      `${(100 * wasted.share).toFixed(1)} %`,
    ]
  })
  const against = beside.map(({ name }) => `× ${name}`)
  const head = ['', 'seconds', 'range', ...against, 'uplink requests', 'wasted', 'share']
  return renderMarkdown(head, rows)
}
