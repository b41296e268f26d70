import type { Context, Next } from 'koa'
import type { Registry } from 'prom-client'
import type { ObjectStore } from '../host.ts'

/** Storage that has not answered after this many milliseconds is not ready. */
const DEADLINE_MS = 2_000

/** Nothing has this key; looking for it shows that the store answers. */
const PROBE = 'ready'

/** Metrics as Prometheus reads them. */
export type MetricsSource = Pick<Registry, 'metrics' | 'contentType'>

interface HealthOptions {
  readonly storage: Pick<ObjectStore, 'stat'>
  readonly metrics: MetricsSource
  isStopping(): boolean
}

/** `/live`, `/healthz`: the process answers. `/ready`: so does storage, and no stop was asked for. `/metrics`. */
export function createHealth({ storage, metrics, isStopping }: HealthOptions) {
  let probe: Promise<unknown> | undefined

  /** Storage that hangs is asked once, not once for each request. */
  function storageAnswers(): Promise<boolean> {
    probe ??= storage.stat(PROBE).finally(() => {
      probe = undefined
    })
    return withinDeadline(probe)
  }

  function answer(ctx: Context, problem?: string): void {
    ctx.status = problem === undefined ? 200 : 503
    ctx.body = `${problem ?? 'ok'}\n`
  }

  return async function health(ctx: Context, next: Next): Promise<void> {
    if (!isHealthPath(ctx.path) || !['GET', 'HEAD'].includes(ctx.method)) return next()
    ctx.set('Cache-Control', 'no-store')
    if (ctx.path === '/metrics') {
      const text = await metrics.metrics().catch(() => undefined)
      if (text === undefined) return answer(ctx, 'metrics are not available')
      ctx.type = metrics.contentType
      ctx.body = text
    } else if (ctx.path !== '/ready') {
      answer(ctx)
    } else if (isStopping()) {
      answer(ctx, 'stopping')
    } else {
      answer(ctx, (await storageAnswers()) ? undefined : 'storage does not answer')
    }
  }
}

/** Whether a path is one of those that machines ask for all day. */
export function isHealthPath(path: string): boolean {
  return path === '/live' || path === '/ready' || path === '/healthz' || path === '/metrics'
}

async function withinDeadline(work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), DEADLINE_MS)
  })
  const answered = work.then(
    () => true,
    () => false,
  )
  const result = await Promise.race([answered, late])
  clearTimeout(timer)
  return result
}
