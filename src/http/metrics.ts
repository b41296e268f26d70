import { performance } from 'node:perf_hooks'
import type { Next } from 'koa'
import { Counter, Gauge, type Registry as PromRegistry } from 'prom-client'
import type { MetricsRegistry } from '../host.ts'
import type { LimitName } from '../registry/rate-limits.ts'
import type { RegistryObserver } from '../registry/registry.ts'
import type { CargoContext } from './context.ts'
import { durationsOf } from './durations.ts'
import { tallyOf } from './tally.ts'

/** From a cached index file to a large crate over a slow line. */
const DURATION_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 60]

/** A client may send any word as method; a label may not grow with it. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'OPTIONS', 'PATCH'])

export interface Answered {
  /** The pattern of the route. */
  readonly route: string | undefined
  readonly method: string
  readonly status: number
  /** Until the answer began. */
  readonly seconds: number
  /** Bytes of its body, if they are known. */
  readonly length?: number | undefined
}

/** What is measured, with bounded labels: route patterns, methods, statuses, never names or users. */
export interface CargoMetrics extends RegistryObserver {
  measure(ctx: CargoContext, next: Next): Promise<void>
  /** A request has its answer, all of it. */
  answered(answer: Answered): void
  /** Somebody was told to come again later. */
  rateLimited(limit: LimitName): void
  /** An attempt to deliver an event ended so. */
  webhookDelivery(outcome: string): void
}

/** Metrics in the host's own registry; several mounts share them. */
export function createMetrics(host: MetricsRegistry): CargoMetrics {
  const registers = [host as unknown as PromRegistry]
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    (host.getSingleMetric(name) as Counter<L> | undefined) ??
    new Counter({ name, help, labelNames, registers })
  const requests = tallyOf(host, 'cargo_requests_total', 'Requests by route and status', [
    'route',
    'method',
    'status',
  ])
  const publishes = counter('cargo_publishes_total', 'Accepted publishes', [])
  const downloads = counter('cargo_downloads_total', 'Whole crate files sent or redirected to', [])
  const bytes = counter('cargo_crate_bytes_total', 'Bytes of crate files received and sent', ['direction'])
  const lookups = tallyOf(host, 'cargo_cache_lookups_total', 'Lookups of crate records', ['tier', 'result'])
  const uplinkRequests = counter(
    'cargo_uplink_requests_total',
    'Requests to uplinks by what was asked and how it ended',
    ['uplink', 'kind', 'outcome'],
  )
  const ahead = counter(
    'cargo_prefetch_total',
    'Files fetched ahead, and those of them that were asked for',
    ['kind', 'outcome'],
  )
  const conflicts = counter(
    'cargo_integrity_conflicts_total',
    'Index and crate files that were not believed',
    ['conflict'],
  )
  const limited = counter('cargo_rate_limited_total', 'Requests refused for being too many', ['limit'])
  const deliveries = counter(
    'cargo_webhook_deliveries_total',
    'Attempts to deliver an event to a webhook, and deliveries that were given up',
    ['outcome'],
  )
  const available =
    (host.getSingleMetric('cargo_uplink_available') as Gauge<'uplink'> | undefined) ??
    new Gauge({
      name: 'cargo_uplink_available',
      help: 'Whether an uplink is asked (1) or left alone for a while (0)',
      labelNames: ['uplink'],
      // Over workers: whether any of them leaves it alone.
      aggregator: 'min',
      registers,
    })
  const durations = durationsOf(host, {
    name: 'cargo_request_duration_seconds',
    help: 'Time until the answer began',
    bounds: DURATION_BUCKETS,
  })

  function answered({ route = 'none', method, status, seconds, length = 0 }: Answered): void {
    const known = knownMethod(method)
    durations.observe(route, known, seconds)
    requests.add(route, known, String(status))
    if (isDownload(route, method) && status < 300) {
      bytes.inc({ direction: 'out' }, length)
      if (status === 200) downloads.inc()
    }
  }

  return {
    async measure(ctx, next) {
      const began = performance.now()
      await next()
      const seconds = (performance.now() - began) / 1000
      const { method, status, length } = ctx
      answered({ route: ctx.state.route, ...{ method, status, seconds, length } })
      // To where the whole file is.
      const isRedirect = status === 302 && ctx.get('Range') === ''
      if (isRedirect && isDownload(ctx.state.route, method)) downloads.inc()
    },
    answered,
    cacheLookup: (tier, result) => lookups.add(tier, result),
    uplinkRequest: (uplink, kind, outcome) => uplinkRequests.inc({ uplink, kind, outcome }),
    uplinkAvailable: (uplink, is) => available.set({ uplink }, is ? 1 : 0),
    fetchedAhead: (kind, outcome) => ahead.inc({ kind, outcome }),
    integrityConflict: (conflict) => conflicts.inc({ conflict }),
    rateLimited: (limit) => limited.inc({ limit }),
    webhookDelivery: (outcome) => deliveries.inc({ outcome }),
    published(size) {
      publishes.inc()
      bytes.inc({ direction: 'in' }, size)
    },
  }
}

/** When the host measures nothing. */
export const noMetrics: CargoMetrics = {
  measure: (_, next) => next(),
  answered: () => {},
  cacheLookup: () => {},
  published: () => {},
  uplinkRequest: () => {},
  uplinkAvailable: () => {},
  integrityConflict: () => {},
  fetchedAhead: () => {},
  rateLimited: () => {},
  webhookDelivery: () => {},
}

function isDownload(route: string | undefined, method: string): boolean {
  return method === 'GET' && route?.endsWith('/download') === true
}

function knownMethod(method: string): string {
  return METHODS.has(method) ? method : 'other'
}
