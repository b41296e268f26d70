import type { MetricsRegistry } from '../host.ts'

/** A histogram of seconds, by route and method, in the form of prom-client's. */
export interface Durations {
  observe(route: string, method: string, seconds: number): void
}

export interface DurationsSpec {
  readonly name: string
  readonly help: string
  /** Upper bounds of the buckets, in seconds and ascending. */
  readonly bounds: readonly number[]
}

/** What took how long, of one method of a route. */
interface Cell {
  readonly method: string
  /** Of each bound, and of all above. */
  readonly counts: number[]
  sum: number
}

/** Several mounts share what is measured. */
const shared = new WeakMap<object, Durations>()

/**
 * The histogram of that name in the host's registry.
 *
 * Why not prom-client's own: it makes several objects and a string of each observation, which costs more than all else
 * that is measured of an answer from memory (`node test/bench/front.ts`).
 */
export function durationsOf(host: MetricsRegistry, { name, help, bounds }: DurationsSpec): Durations {
  const known = host.getSingleMetric(name)
  const before = typeof known === 'object' && known !== null ? shared.get(known) : undefined
  if (before !== undefined) return before
  const cells = new Map<string, Cell[]>()

  function valuesOf(route: string, { method, counts, sum }: Cell) {
    const labels = { route, method }
    let count = 0
    const buckets = [...bounds, '+Inf'].map((le, i) => {
      count += counts[i] ?? 0
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ]
  }

  const metric = {
    ...{ name, help, type: 'histogram', aggregator: 'sum' },
    get: async () => ({
      ...{ name, help, type: 'histogram', aggregator: 'sum' },
      values: [...cells].flatMap(([route, rest]) => rest.flatMap((cell) => valuesOf(route, cell))),
    }),
    reset: () => cells.clear(),
  }
  host.registerMetric(metric as never)

  function cellOf(route: string, method: string): Cell {
    const rest = cells.get(route) ?? []
    for (const cell of rest) if (cell.method === method) return cell
    const cell = { method, counts: [...bounds, Number.POSITIVE_INFINITY].map(() => 0), sum: 0 }
    cells.set(route, [...rest, cell])
    return cell
  }

  const durations: Durations = {
    observe(route, method, seconds) {
      const cell = cellOf(route, method)
      let bucket = 0
      while (seconds > (bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1
      cell.counts[bucket] = (cell.counts[bucket] ?? 0) + 1
      cell.sum += seconds
    },
  }
  shared.set(metric, durations)
  return durations
}
