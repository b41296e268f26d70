/** Requests a second of one case, by round. */
export interface Result {
  readonly name: string
  readonly ours: readonly number[]
  readonly nginx: readonly number[]
}

/** The middle of the values; of an even number of them the mean of both. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = (sorted.length - 1) / 2
  return ((sorted[Math.floor(half)] ?? Number.NaN) + (sorted[Math.ceil(half)] ?? Number.NaN)) / 2
}

/** The median of the rounds' ratios. */
export function ratioOf({ ours, nginx }: Result): number {
  return median(ours.map((rate, round) => rate / (nginx[round] ?? Number.NaN)))
}

/** A table in Markdown: medians, and the median of the rounds' ratios. */
export function renderTable(results: readonly Result[]): string {
  const rows = results.map(({ name, ours, nginx }) => {
    const ratios = ours.map((rate, round) => rate / (nginx[round] ?? Number.NaN))
    return [name, whole(median(ours)), whole(median(nginx)), median(ratios).toFixed(2), range(ratios)]
  })
  const head = ['', 'ours, req/s', 'nginx, req/s', 'ratio', 'ratios']
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return `${[line(head), rule, ...rows.map(line)].join('\n')}\n`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function range(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`
}
