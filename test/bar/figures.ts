/** One measured figure and what it has to be. */
export interface Figure {
  readonly name: string
  readonly value: string
  readonly target: string
  readonly met: boolean
}

export function atMost(name: string, value: number, limit: number, unit = ''): Figure {
  const text = (of: number) => `${Number(of.toFixed(1)).toLocaleString('en')}${unit === '' ? '' : ` ${unit}`}`
  return { name, value: text(value), target: `≤ ${text(limit)}`, met: value <= limit }
}

export function exactly(name: string, value: number, wanted: number): Figure {
  const text = (of: number) => of.toLocaleString('en')
  return { name, value: text(value), target: text(wanted), met: value === wanted }
}

/** For the record: it has no target. */
export function note(name: string, value: string): Figure {
  return { name, value, target: '', met: true }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Figures in Markdown. */
export function renderFigures(title: string, figures: readonly Figure[]): string {
  const rows = figures.map((it) => [
    it.name,
    it.value,
    it.target,
    it.target === '' ? '' : it.met ? 'met' : 'MISSED',
  ])
  const table = [[title, 'measured', 'target', ''], ['---', '--:', '--:', '---'], ...rows]
  return `${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`
}
