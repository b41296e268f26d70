import { randomUUID } from 'node:crypto'
import { on } from 'node:events'
import process from 'node:process'
import { AggregatorRegistry, type Registry } from 'prom-client'
import type { MetricsSource } from './health.ts'
import type { CargoServer } from './server.ts'

/** All workers are asked within five seconds, or not at all. */
const METRICS_DEADLINE_MS = 6_000

/** What the primary tells a worker. */
export type FromPrimary =
  | { readonly type: 'cargo:stop' }
  /** `text` is missing when a worker did not answer. */
  | { readonly type: 'cargo:metrics'; readonly id: string; readonly text?: string }

/** What a worker tells its primary. */
export type FromWorker =
  | { readonly type: 'cargo:serves'; readonly url: string; readonly port: number }
  | { readonly type: 'cargo:metrics'; readonly id: string }

/**
 * Tells the primary where this worker serves, and stops when the primary says so. Signals are left to the primary: a
 * terminal or supervisor sends them to every process of a group, and each must come once.
 */
export function obeyPrimary(starting: Promise<CargoServer>, fail: (error: unknown) => never): void {
  const ignore = () => {}
  process.on('SIGTERM', ignore)
  process.on('SIGINT', ignore)
  let server: CargoServer | undefined
  process.on('message', (message: FromPrimary) => {
    if (message.type !== 'cargo:stop') return
    if (server === undefined) process.exit(0)
    server.close().then(() => process.exit(0), fail)
  })
  // Whoever started the server hears of a start that failed.
  starting.then((started) => {
    server = started
    tell({ type: 'cargo:serves', url: started.url, port: started.port })
  }, ignore)
}

/** The sums over all workers, which only the primary can ask; `own` is this worker's part of them. */
export function metricsOfAllWorkers(own: Registry): MetricsSource {
  AggregatorRegistry.setRegistries([own])
  // The primary's questions are answered from now on.
  new AggregatorRegistry()
  return { contentType: own.contentType, metrics: () => askForMetrics(randomUUID()) }
}

async function askForMetrics(id: string): Promise<string> {
  const answers = on(process, 'message', { signal: AbortSignal.timeout(METRICS_DEADLINE_MS) })
  tell({ type: 'cargo:metrics', id })
  for await (const [message] of answers as AsyncIterable<[FromPrimary]>) {
    if (message.type !== 'cargo:metrics' || message.id !== id) continue
    if (message.text !== undefined) return message.text
    break
  }
  throw new Error('a worker does not tell its metrics')
}

function tell(message: FromWorker): void {
  process.send?.(message)
}
