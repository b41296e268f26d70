import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { AggregatorRegistry } from 'prom-client'
import type { Logger } from '../host.ts'
import { Mistake } from './mistake.ts'
import { restartDelay } from './restart-delay.ts'
import { GRACE_MS } from './server.ts'
import type { FromPrimary, FromWorker } from './worker.ts'

/** A worker ends within the grace that its requests have; beyond that it hangs. */
const STOP_MS = GRACE_MS + 5_000

/** Processes that share a port; this one serves nothing itself. */
export interface Workers {
  /** The registry's URL, mount included, without a final slash. */
  readonly url: string
  /** The port in use. */
  readonly port: number
  /** Lets each worker finish its requests, and ends those that hang; the same promise when called again. */
  close(): Promise<void>
}

/**
 * Starts `count` processes like this one, and starts one again that ends, after a pause that grows while it keeps
 * ending.
 * @throws {Mistake} when the first one ends instead of serving; it has said why
 */
export async function startWorkers(count: number, logger: Logger): Promise<Workers> {
  const restarts = new Set<NodeJS.Timeout>()
  let isUp = false
  let stopping: Promise<void> | undefined
  answerMetrics(logger)

  function start(failures: number): Worker {
    const startedAt = performance.now()
    const worker = cluster.fork()
    worker.once('exit', (code, signal) => {
      if (!isUp || stopping !== undefined) return
      const { failures: next, ms } = restartDelay(failures, performance.now() - startedAt)
      logger.error({ worker: worker.id, code, signal, restartMs: ms }, 'a worker ended')
      const restart = setTimeout(() => {
        restarts.delete(restart)
        start(next)
      }, ms)
      restarts.add(restart)
    })
    return worker
  }

  async function stop(): Promise<void> {
    for (const restart of restarts) clearTimeout(restart)
    await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => worker && stopWorker(worker)))
  }

  function close(): Promise<void> {
    stopping ??= stop()
    return stopping
  }

  // Alone, so that what is wrong with the settings is said once.
  const serving = await servingOf(start(0))
  isUp = true
  for (let more = 1; more < count; more++) start(0)
  return { url: serving.url, port: serving.port, close }
}

type Serving = Extract<FromWorker, { type: 'cargo:serves' }>

function servingOf(worker: Worker): Promise<Serving> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'cargo:serves') resolve(message)
    })
    worker.once('exit', (code, signal) =>
      reject(new Mistake(`the first worker ended with ${signal ?? `status ${code}`} before it served`)),
    )
  })
}

async function stopWorker(worker: Worker): Promise<void> {
  if (worker.isDead()) return
  const ended = once(worker, 'exit')
  const timer = setTimeout(() => worker.process.kill('SIGKILL'), STOP_MS)
  if (worker.isConnected()) tell(worker, { type: 'cargo:stop' })
  await ended
  clearTimeout(timer)
}

/** Whichever worker is asked for metrics, the answer is about all of them. */
function answerMetrics(logger: Logger): void {
  const aggregator = new AggregatorRegistry()
  cluster.on('message', (worker, message: FromWorker) => {
    if (message.type !== 'cargo:metrics') return
    const { type, id } = message
    aggregator.clusterMetrics().then(
      (text) => tell(worker, { type, id, text }),
      (err: unknown) => {
        logger.warn({ err }, 'a worker does not tell its metrics')
        tell(worker, { type, id })
      },
    )
  })
}

/** A worker that has ended meanwhile needs no answer. */
function tell(worker: Worker, message: FromPrimary): void {
  worker.send(message, undefined, () => {})
}
