import { Counter, type Registry as PromRegistry } from 'prom-client'
import type { MetricsRegistry } from '../host.ts'

/** A counter of prom-client that is told the sums when somebody asks for them. */
export interface Tally {
  /** One more with these values of the labels, in their order. */
  add(first: string, second: string, third?: string): void
}

/** How often something was, of one value of the first label. */
interface Cell {
  readonly second: string
  readonly third: string | undefined
  count: number
}

/** Several mounts share what is counted. */
const tallies = new WeakMap<object, Tally>()

/**
 * The counter of that name in the host's registry, with two labels or three.
 *
 * Why not the counter itself: to look up labels costs more than all else that is measured of an answer from memory
 * (`node test/bench/front.ts`).
 */
export function tallyOf(
  host: MetricsRegistry,
  name: string,
  help: string,
  labelNames: readonly string[],
): Tally {
  const known = host.getSingleMetric(name)
  const shared = typeof known === 'object' && known !== null ? tallies.get(known) : undefined
  if (shared !== undefined) return shared
  const cells = new Map<string, Cell[]>()
  const counter: Counter = new Counter({
    ...{ name, help, labelNames, registers: [host as unknown as PromRegistry] },
    collect() {
      for (const [first, rest] of cells) for (const cell of rest) tell(first, cell)
    },
  })

  function tell(first: string, cell: Cell): void {
    const values = [first, cell.second, cell.third]
    counter.inc(Object.fromEntries(labelNames.map((label, i) => [label, values[i] ?? ''])), cell.count)
    cell.count = 0
  }

  const tally: Tally = {
    add(first, second, third) {
      const known = cells.get(first)
      const rest = known ?? []
      if (known === undefined) cells.set(first, rest)
      const cell = rest.find((one) => one.second === second && one.third === third)
      if (cell === undefined) rest.push({ second, third, count: 1 })
      else cell.count += 1
    },
  }
  tallies.set(counter, tally)
  return tally
}
