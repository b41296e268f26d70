import { renderMarkdown } from './markdown.ts'

/** What a figure has to be, and what would be better still. */
export interface Goal {
  readonly must: number
  readonly stretch?: number
  readonly wants: 'more' | 'less'
}

/** Something measured round by round, beside what it is compared with. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly ours: readonly number[]
  /** Of the same rounds. */
  readonly theirs?: readonly number[]
  /** Of the medians: their ratio, their difference, ours alone; or the worst of ours. */
  readonly figure: 'ratio' | 'difference' | 'ours' | 'worst'
  readonly goal?: Goal
  /** What a ratio without a goal should be; default more. */
  readonly wants?: Goal['wants']
  /** Why the ratio is not compared with the kept one; default: it is. */
  readonly unjudged?: string
}

export function atLeast(must: number, stretch?: number): Goal {
  return { must, wants: 'more', ...(stretch !== undefined && { stretch }) }
}

export function atMost(must: number, stretch?: number): Goal {
  return { must, wants: 'less', ...(stretch !== undefined && { stretch }) }
}

/** The middle of the values; of an even number of them the mean of both. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = (sorted.length - 1) / 2
  return ((sorted[Math.floor(half)] ?? Number.NaN) + (sorted[Math.ceil(half)] ?? Number.NaN)) / 2
}

/** The figure that a row is about. */
export function figureOf({ figure, ours, theirs = [] }: Row): number {
  switch (figure) {
    case 'ratio':
      return median(ours) / median(theirs)
    case 'difference':
      return median(ours) - median(theirs)
    case 'ours':
      return median(ours)
    case 'worst':
      return Math.max(...ours)
  }
}

/** The ratio of each round. */
export function ratiosOf({ ours, theirs = [] }: Row): readonly number[] {
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN))
}

/** Rows in Markdown: medians, the figure, what it was from round to round, and how it stands to its goal. */
export function renderRows(rows: readonly Row[]): string {
  const head = ['', 'ours', 'theirs', 'figure', 'rounds', 'must', 'stretch', 'met']
  return renderMarkdown(
    head,
    rows.map((row) => {
      const { name, unit, ours, theirs, figure, goal } = row
      const value = figureOf(row)
      const of = figure === 'ratio' ? '' : ` ${unit}`
      return [
        name,
        `${number(median(ours))} ${unit}`.trim(),
        theirs === undefined ? '' : `${number(median(theirs))} ${unit}`.trim(),
        `${number(value, figure === 'ratio')}${of}`.trim(),
        range(row),
        goal === undefined ? '' : `${sign(goal)} ${goal.must}`,
        goal?.stretch === undefined ? '' : `${sign(goal)} ${goal.stretch}`,
        goal === undefined ? '' : verdict(goal, value),
      ]
    }),
  )
}

/** Whether a figure is what it must be. */
export function isMet({ wants }: Goal, bound: number, value: number): boolean {
  return wants === 'more' ? value >= bound : value <= bound
}

function verdict(goal: Goal, value: number): string {
  if (goal.stretch !== undefined && isMet(goal, goal.stretch, value)) return 'stretch'
  return isMet(goal, goal.must, value) ? 'must' : 'MISSED'
}

function sign({ wants }: Goal): string {
  return wants === 'more' ? '≥' : '≤'
}

function range(row: Row): string {
  const { figure, ours, theirs = [] } = row
  const values =
    figure === 'ratio'
      ? ratiosOf(row)
      : ours.map((value, round) => (figure === 'difference' ? value - (theirs[round] ?? Number.NaN) : value))
  const text = (value: number) => number(value, figure === 'ratio')
  return `${text(Math.min(...values))}–${text(Math.max(...values))}`
}

function number(value: number, isRatio = false): string {
  if (isRatio) return value.toFixed(2)
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0
  return Number(value.toFixed(digits)).toLocaleString('en')
}
